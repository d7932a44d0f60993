package letopis.audit.incident_test

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

test_close_is_open_to_security_officer if audit.authorize.allow with input as asked("audit.incident.close", "security_officer")

test_close_is_closed_to_auditor if {
	answer := audit.authorize with input as asked("audit.incident.close", "auditor")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_list_is_open_to_operator if audit.authorize.allow with input as asked("audit.incident.list", "operator")

test_list_is_closed_to_data_engineer if {
	answer := audit.authorize with input as asked("audit.incident.list", "data_engineer")
	not answer.allow
	answer.deny == {"role.not_granted"}
}
