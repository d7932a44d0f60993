package letopis.inference.rescoring_test

import data.letopis.inference

import future.keywords.not
import rego.v1

asked(role) := {
	"action": "inference.rescoring.decision",
	"subject": {"person": "irina", "login": "irina", "roles": [role], "groups": []},
	"purpose": "complaint",
	"object": {"type": "decision", "id": "one", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_rescoring_is_open_to_auditor if inference.authorize.allow with input as asked("auditor")

test_rescoring_is_closed_to_data_engineer if {
	answer := inference.authorize with input as asked("data_engineer")
	not answer.allow
	answer.deny == {"role.not_granted"}
}
