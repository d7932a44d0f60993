package letopis.console.page_test

import data.letopis.console

import future.keywords.not
import rego.v1

question := {
	"action": "",
	"subject": {"person": "irina", "login": "irina", "roles": [], "groups": []},
	"purpose": "",
	"object": {"type": "page", "id": "wall", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

asked(action, role) := object.union(question, {"action": action, "subject": {"roles": [role]}})

refused(answer) if {
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_read_is_open_to_data_engineer if console.authorize.allow with input as asked("console.page.read", "data_engineer")

test_read_is_closed_to_consumer if {
	refused(console.authorize) with input as asked("console.page.read", "consumer")
}

test_act_is_open_to_validator if console.authorize.allow with input as asked("console.page.act", "validator")

test_act_is_closed_to_service if {
	refused(console.authorize) with input as asked("console.page.act", "service")
}

test_chronicle_is_open_to_regulator if {
	console.authorize.allow with input as asked("console.page.chronicle", "regulator")
}

test_chronicle_is_closed_to_consumer if {
	refused(console.authorize) with input as asked("console.page.chronicle", "consumer")
}

test_decision_is_open_to_model_owner if {
	console.authorize.allow with input as asked("console.page.decision", "model_owner")
}

test_decision_is_closed_to_data_engineer if {
	refused(console.authorize) with input as asked("console.page.decision", "data_engineer")
}
