package letopis.registry.group_role_test

import data.letopis.registry
import data.letopis.registry.group_role

import rego.v1

propose := {
	"action": "registry.group_role.propose",
	"subject": {"person": "olga", "login": "olga", "roles": ["administrator"], "groups": []},
	"purpose": "",
	"object": {"type": "group", "id": "model-risk", "attributes": {"roles": ["risk_officer", "validator"]}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

approve := object.union(propose, {
	"action": "registry.group_role.approve",
	"subject": {"person": "pavel", "login": "pavel", "roles": ["security_officer"]},
	"facts": {"proposed_by": "olga", "mfa_age": 900},
})

opening(question, roles) := object.union(question, {"object": {"attributes": {"roles": roles}}})

test_one_proposes_another_approves if {
	registry.authorize.allow with input as propose
	registry.authorize.allow with input as approve
}

test_a_group_may_open_nothing if registry.authorize.allow with input as opening(propose, [])

test_no_group_does_and_approves if {
	every question in [propose, approve] {
		answer := registry.authorize with input as opening(question, ["data_scientist", "validator"])
		answer.deny == {"roles.toxic_pair"}
	}
}

test_no_group_makes_administrators_or_programs if {
	every role in ["administrator", "consumer", "subscriber", "service"] {
		answer := registry.authorize with input as opening(propose, [role, "operator"])
		answer.deny == {"group_role.not_by_group"}
	}
	approved := registry.authorize with input as opening(approve, ["administrator"])
	approved.deny == {"group_role.not_by_group"}
}

test_who_proposed_does_not_approve if {
	answer := registry.authorize with input as object.union(approve, {"subject": {"person": "olga"}})
	answer.deny == {"four_eyes.own_proposal"}
	"four_eyes.own_proposal" in registry.authorize.deny with input as json.remove(approve, ["/facts/proposed_by"])
}

test_a_stale_second_factor_does_not_approve if {
	answer := registry.authorize with input as object.union(approve, {"facts": {"mfa_age": 901}})
	answer.deny == {"group_role.step_up"}
	"group_role.step_up" in registry.authorize.deny with input as object.union(approve, {"facts": {"mfa_age": false}})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if group_role.deny == set() with input as {"action": "registry.group_role.other"}
