package letopis.audit.lineage_test

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

test_read_is_open_to_data_engineer if audit.authorize.allow with input as asked("audit.lineage.read", "data_engineer")

test_read_is_open_to_service if audit.authorize.allow with input as asked("audit.lineage.read", "service")

test_read_is_closed_to_operator if {
	answer := audit.authorize with input as asked("audit.lineage.read", "operator")
	not answer.allow
	answer.deny == {"role.not_granted"}
}
