package letopis.audit.claim_test

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

test_read_is_open_to_regulator if audit.authorize.allow with input as asked("audit.claim.read", "regulator")

test_read_is_closed_to_data_engineer if refused(audit.authorize) with input as asked("audit.claim.read", "data_engineer")

test_state_is_open_to_auditor if audit.authorize.allow with input as asked("audit.claim.state", "auditor")

test_state_is_closed_to_regulator if refused(audit.authorize) with input as asked("audit.claim.state", "regulator")

test_withdraw_is_open_to_risk_officer if audit.authorize.allow with input as asked("audit.claim.withdraw", "risk_officer")

test_withdraw_is_closed_to_model_owner if refused(audit.authorize) with input as asked("audit.claim.withdraw", "model_owner")

test_export_is_open_to_regulator if audit.authorize.allow with input as asked("audit.claim.export", "regulator")

test_export_is_closed_to_risk_officer if refused(audit.authorize) with input as asked("audit.claim.export", "risk_officer")
