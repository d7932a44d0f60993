package letopis.audit.log_test

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

test_prove_is_open_to_auditor if audit.authorize.allow with input as asked("audit.log.prove", "auditor")

test_prove_is_open_to_whoever_is_authenticated if {
	audit.authorize.allow with input as asked("audit.log.prove", "nobody")
}

test_read_is_open_to_regulator if audit.authorize.allow with input as asked("audit.log.read", "regulator")

test_read_is_closed_to_service if {
	answer := audit.authorize with input as asked("audit.log.read", "service")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_list_is_open_to_operator if audit.authorize.allow with input as asked("audit.log.list", "operator")

test_list_is_closed_to_data_scientist if {
	answer := audit.authorize with input as asked("audit.log.list", "data_scientist")
	not answer.allow
	answer.deny == {"role.not_granted"}
}
