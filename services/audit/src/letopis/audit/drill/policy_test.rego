package letopis.audit.drill_test

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

test_commit_is_open_to_regulator if audit.authorize.allow with input as asked("audit.drill.commit", "regulator")

test_commit_is_closed_to_security_officer if refused(audit.authorize) with input as asked("audit.drill.commit", "security_officer")

test_list_is_open_to_security_officer if audit.authorize.allow with input as asked("audit.drill.list", "security_officer")

test_list_is_closed_to_data_engineer if refused(audit.authorize) with input as asked("audit.drill.list", "data_engineer")

test_reveal_is_open_to_auditor if audit.authorize.allow with input as asked("audit.drill.reveal", "auditor")

test_reveal_is_closed_to_risk_officer if refused(audit.authorize) with input as asked("audit.drill.reveal", "risk_officer")
