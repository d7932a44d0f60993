package letopis.audit.schedule_test

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

test_set_is_open_to_auditor if audit.authorize.allow with input as asked("audit.schedule.set", "auditor")

test_set_is_closed_to_data_scientist if {
	answer := audit.authorize with input as asked("audit.schedule.set", "data_scientist")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_stop_is_open_to_risk_officer if audit.authorize.allow with input as asked("audit.schedule.stop", "risk_officer")

test_stop_is_closed_to_regulator if {
	answer := audit.authorize with input as asked("audit.schedule.stop", "regulator")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_list_is_open_to_regulator if audit.authorize.allow with input as asked("audit.schedule.list", "regulator")

test_list_is_closed_to_service if {
	answer := audit.authorize with input as asked("audit.schedule.list", "service")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_set_needs_a_purpose if {
	answer := audit.authorize with input as object.union(asked("audit.schedule.set", "auditor"), {"purpose": ""})
	not answer.allow
	answer.deny == {"input.incomplete"}
}
