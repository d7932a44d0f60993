package letopis.audit.history_test

import data.letopis.audit

import future.keywords.not
import rego.v1

question := {
	"action": "",
	"subject": {"person": "irina", "login": "irina", "roles": [], "groups": []},
	"purpose": "supervision",
	"object": {"type": "thing", "id": "one", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

asked(action, role) := object.union(question, {"action": action, "subject": {"roles": [role]}})

refused(answer) if {
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_decision_is_open_to_model_owner if audit.authorize.allow with input as asked("audit.history.decision", "model_owner")

test_decision_is_closed_to_data_engineer if refused(audit.authorize) with input as asked("audit.history.decision", "data_engineer")

test_models_is_open_to_validator if audit.authorize.allow with input as asked("audit.history.models", "validator")

test_models_is_closed_to_operator if refused(audit.authorize) with input as asked("audit.history.models", "operator")

test_rights_is_open_to_security_officer if audit.authorize.allow with input as asked("audit.history.rights", "security_officer")

test_rights_is_closed_to_model_owner if refused(audit.authorize) with input as asked("audit.history.rights", "model_owner")

test_reads_is_open_to_regulator if audit.authorize.allow with input as asked("audit.history.reads", "regulator")

test_reads_is_closed_to_risk_officer if refused(audit.authorize) with input as asked("audit.history.reads", "risk_officer")

test_export_is_open_to_regulator if audit.authorize.allow with input as asked("audit.history.export", "regulator")

test_export_is_closed_to_validator if refused(audit.authorize) with input as asked("audit.history.export", "validator")
