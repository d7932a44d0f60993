package letopis.registry.use_case_test

import data.letopis.registry
import data.letopis.registry.use_case

import future.keywords.not
import rego.v1

question := {
	"action": "registry.use_case.approve",
	"subject": {"person": "raisa", "login": "raisa", "roles": ["risk_officer"], "groups": []},
	"purpose": "",
	"object": {"type": "use_case", "id": "credit", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"proposer": "anna"},
}

test_another_hand_approves if registry.authorize.allow with input as question

test_the_proposer_does_not_decide if {
	own := object.union(question, {"subject": {"person": "anna"}})
	answer := registry.authorize with input as own
	not answer.allow
	answer.deny == {"four_eyes.own_use_case"}
	rejected := registry.authorize with input as object.union(own, {"action": "registry.use_case.reject"})
	rejected.deny == {"four_eyes.own_use_case"}
}

test_an_unnamed_proposer_is_denied if {
	answer := registry.authorize with input as json.remove(question, ["/facts/proposer"])
	"four_eyes.own_use_case" in answer.deny
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if use_case.deny == set() with input as {"action": "registry.use_case.other"}
