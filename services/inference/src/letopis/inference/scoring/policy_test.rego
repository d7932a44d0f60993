package letopis.inference.scoring_test

import data.letopis.inference
import data.letopis.inference.scoring

import future.keywords.not
import rego.v1

score := {
	"action": "inference.scoring.score",
	"subject": {"person": "", "login": "bank-app", "roles": ["consumer"], "groups": []},
	"purpose": "credit decisions",
	"object": {"type": "application", "id": "credit.v1", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"consumers": ["bank-app"]},
}

changed(part) := object.union(score, part)

test_a_granted_consumer_scores if inference.authorize.allow with input as score

test_an_ungranted_consumer_does_not if {
	answer := inference.authorize with input as changed({"facts": {"consumers": ["call-centre"]}})
	not answer.allow
	answer.deny == {"consumer.not_granted"}
}

test_without_a_purpose_nobody_scores if {
	answer := inference.authorize with input as json.remove(score, ["/purpose"])
	answer.deny == {"input.incomplete"}
}

test_unknown_consumers_grant_nobody if {
	answer := inference.authorize with input as json.remove(score, ["/facts/consumers"])
	"consumer.not_granted" in answer.deny
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if scoring.deny == set() with input as {"action": "inference.scoring.other"}
