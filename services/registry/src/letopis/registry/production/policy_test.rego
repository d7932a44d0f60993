package letopis.registry.production_test

import data.letopis.registry
import data.letopis.registry.production

import future.keywords.not
import rego.v1

question := {
	"action": "registry.production.roll_back",
	"subject": {"person": "boris", "login": "boris", "roles": ["model_owner"], "groups": []},
	"purpose": "",
	"object": {"type": "model", "id": "credit", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"reason": "drift alert in September"},
}

test_an_owner_rolls_back if registry.authorize.allow with input as question

test_a_reason_must_be_readable if {
	answer := registry.authorize with input as object.union(question, {"facts": {"reason": "  because "}})
	not answer.allow
	answer.deny == {"rollback.reason"}
}

test_no_reason_is_no_reason if {
	answer := registry.authorize with input as json.remove(question, ["/facts/reason"])
	"rollback.reason" in answer.deny
}

test_a_scientist_does_not_roll_back if {
	answer := registry.authorize with input as object.union(question, {"subject": {"roles": ["data_scientist"]}})
	answer.deny == {"role.not_granted"}
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if production.deny == set() with input as {"action": "registry.production.other"}

test_ten_letters_are_a_reason if {
	registry.authorize.allow with input as object.union(question, {"facts": {"reason": "0123456789"}})
	answer := registry.authorize with input as object.union(question, {"facts": {"reason": "012345678"}})
	answer.deny == {"rollback.reason"}
}

test_a_reason_is_a_text if {
	answer := registry.authorize with input as object.union(question, {"facts": {"reason": 7777777777}})
	answer.deny == {"input.incomplete", "rollback.reason"}
}
