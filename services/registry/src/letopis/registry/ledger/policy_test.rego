package letopis.registry.ledger_test

import data.letopis.registry
import data.letopis.registry.ledger

import future.keywords.not
import rego.v1

question := {
	"action": "registry.ledger.read",
	"subject": {"person": "", "login": "warehouse", "roles": ["subscriber"], "groups": ["ledger:registry"]},
	"purpose": "",
	"object": {"type": "ledger", "id": "registry", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

changed(part) := object.union(question, part)

test_a_subscriber_reads_what_it_was_let_into if registry.authorize.allow with input as question

test_a_subscriber_reads_no_other_ledger if {
	answer := registry.authorize with input as changed({"object": {"id": "access"}})
	not answer.allow
	answer.deny == {"ledger.not_subscribed"}
}

test_a_group_without_the_role_reads_nothing if {
	answer := registry.authorize with input as changed({"subject": {"roles": ["consumer"]}})
	answer.deny == {"role.not_granted"}
}

test_auditors_and_services_read_every_ledger if {
	every role in {"auditor", "service"} {
		registry.authorize.allow with input as changed({"subject": {"roles": [role], "groups": []}})
	}
}

test_a_missing_group_is_no_group if {
	answer := registry.authorize with input as json.remove(question, ["/subject/groups"])
	not answer.allow
	"ledger.not_subscribed" in answer.deny
}

test_another_action_is_another_matter if ledger.deny == set() with input as {"action": "registry.ledger.other"}
