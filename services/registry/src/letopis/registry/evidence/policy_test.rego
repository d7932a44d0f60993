package letopis.registry.evidence_test

import data.letopis.registry
import data.letopis.registry.evidence

import future.keywords.not
import rego.v1

question := {
	"action": "registry.evidence.add",
	"subject": {"person": "vera", "login": "vera", "roles": ["validator"], "groups": []},
	"purpose": "",
	"object": {"type": "version", "id": "credit.1", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"author": "anna", "kind": "validation_report"},
}

changed(part) := object.union(question, part)

test_a_validator_reports if registry.authorize.allow with input as question

test_the_author_does_not_validate if {
	answer := registry.authorize with input as changed({"subject": {"person": "anna"}})
	not answer.allow
	answer.deny == {"evidence.independent_validation"}
}

test_a_scientist_does_not_validate if {
	answer := registry.authorize with input as changed({"subject": {"person": "carl", "roles": ["data_scientist"]}})
	answer.deny == {"evidence.independent_validation"}
}

test_the_author_adds_quality if {
	own := changed({"subject": {"person": "anna", "roles": ["data_scientist"]}, "facts": {"kind": "out_of_time_quality"}})
	registry.authorize.allow with input as own
}

test_an_unnamed_kind_is_denied if {
	answer := registry.authorize with input as json.remove(question, ["/facts/kind", "/facts/author"])
	not answer.allow
	"evidence.independent_validation" in answer.deny
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if evidence.deny == set() with input as {"action": "registry.evidence.other"}

test_a_kind_that_is_no_name_is_no_kind if {
	answer := registry.authorize with input as changed({"subject": {"person": "anna"}, "facts": {"kind": 7}})
	not answer.allow
	"evidence.independent_validation" in answer.deny
}
