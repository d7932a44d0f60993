package letopis.registry.delegation_test

import data.letopis.registry
import data.letopis.registry.delegation

import rego.v1

give := {
	"action": "registry.delegation.give",
	"subject": {"person": "vera", "login": "vera", "roles": ["risk_officer"], "groups": []},
	"purpose": "",
	"object": {
		"type": "principal",
		"id": "boris",
		"attributes": {"kind": "human", "roles": ["risk_officer"], "held": ["model_owner"], "days": 30},
	},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

end := {
	"action": "registry.delegation.end",
	"subject": {"person": "boris", "login": "boris", "roles": [], "groups": []},
	"purpose": "",
	"object": {"type": "delegation", "id": "d1", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"party": true},
}

to(part) := object.union(give, {"object": {"attributes": part}})

test_a_role_is_lent_for_a_month if registry.authorize.allow with input as give

test_a_role_is_lent_for_today if registry.authorize.allow with input as to({"days": 0})

test_longer_or_backwards_is_denied if {
	every days in [31, -1] {
		answer := registry.authorize with input as to({"days": days})
		answer.deny == {"delegation.too_long"}
	}
	"delegation.too_long" in registry.authorize.deny with input as to({"days": false})
	"delegation.too_long" in registry.authorize.deny with input as to({"days": null})
}

test_an_administrator_is_not_lent if {
	answer := registry.authorize with input as to({"roles": ["administrator"], "held": []})
	answer.deny == {"delegation.role"}
}

test_one_role_among_others_is_enough_to_deny if {
	"delegation.role" in registry.authorize.deny with input as to({"roles": ["risk_officer", "administrator"]})
}

test_a_program_borrows_nothing if {
	answer := registry.authorize with input as to({"kind": "service"})
	answer.deny == {"delegation.for_people"}
}

test_nobody_does_and_approves_for_a_week if {
	answer := registry.authorize with input as to({"held": ["data_scientist"]})
	answer.deny == {"roles.toxic_pair"}
}

test_the_parties_end_it if registry.authorize.allow with input as end

test_others_do_not if {
	answer := registry.authorize with input as object.union(end, {"facts": {"party": false}})
	answer.deny == {"delegation.parties_only"}
}

test_a_security_officer_does if {
	question := object.union(end, {"facts": {"party": false}, "subject": {"roles": ["security_officer"]}})
	registry.authorize.allow with input as question
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if delegation.deny == set() with input as {"action": "registry.delegation.other"}
