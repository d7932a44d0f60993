package letopis.audit.voice_test

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

test_list_is_open_to_operator if audit.authorize.allow with input as asked("audit.voice.list", "operator")

test_list_is_closed_to_data_engineer if refused(audit.authorize) with input as asked("audit.voice.list", "data_engineer")

test_expect_is_open_to_risk_officer if audit.authorize.allow with input as asked("audit.voice.expect", "risk_officer")

test_expect_is_closed_to_model_owner if refused(audit.authorize) with input as asked("audit.voice.expect", "model_owner")
