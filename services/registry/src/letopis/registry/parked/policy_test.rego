package letopis.registry.parked_test

import data.letopis.registry
import data.letopis.registry.parked

import future.keywords.not
import rego.v1

ask := {
	"action": "registry.parked.ask",
	"subject": {"person": "oleg", "login": "oleg", "roles": ["operator"], "groups": []},
	"purpose": "",
	"object": {"type": "parked", "id": "follow.registry.7", "attributes": {"way": "skip"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"reason": "the account was closed"},
}

agree := json.patch(ask, [
	{"op": "replace", "path": "/action", "value": "registry.parked.agree"},
	{"op": "replace", "path": "/subject/person", "value": "olga"},
	{"op": "replace", "path": "/facts", "value": {"asked_by": "oleg"}},
])

test_one_asks_and_another_agrees if {
	registry.authorize.allow with input as ask
	registry.authorize.allow with input as agree
}

test_who_asked_does_not_agree if {
	answer := registry.authorize with input as object.union(agree, {"subject": {"person": "oleg"}})
	not answer.allow
	answer.deny == {"four_eyes.same_person"}
}

test_nobody_agrees_without_a_person_on_either_side if {
	unnamed := registry.authorize with input as json.remove(agree, ["/subject/person"])
	"four_eyes.same_person" in unnamed.deny
	unasked := registry.authorize with input as json.remove(agree, ["/facts/asked_by"])
	"four_eyes.same_person" in unasked.deny
}

test_a_reason_has_ten_letters if {
	registry.authorize.allow with input as object.union(ask, {"facts": {"reason": "0123456789"}})
	short := registry.authorize with input as object.union(ask, {"facts": {"reason": " 012345678 "}})
	short.deny == {"parked.reason"}
	none := registry.authorize with input as json.remove(ask, ["/facts/reason"])
	"parked.reason" in none.deny
}

test_a_reason_is_a_text if {
	answer := registry.authorize with input as object.union(ask, {"facts": {"reason": 7777777777}})
	answer.deny == {"input.incomplete", "parked.reason"}
}

test_a_scientist_releases_nothing if {
	answer := registry.authorize with input as object.union(ask, {"subject": {"roles": ["data_scientist"]}})
	answer.deny == {"role.not_granted"}
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if parked.deny == set() with input as {"action": "registry.parked.read"}
