package letopis.registry.session_test

import data.letopis.registry
import data.letopis.registry.session

import rego.v1

question := {
	"action": "registry.session.open",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": []},
	"purpose": "",
	"object": {"type": "session", "id": "anna", "attributes": {"cores": 16, "memory_gb": 64}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"held": {"cores": 0, "memory_gb": 0}},
}

changed(part) := object.union(question, part)

asking(cores, memory) := changed({"object": {"attributes": {"cores": cores, "memory_gb": memory}}})

holding(cores, memory) := changed({"facts": {"held": {"cores": cores, "memory_gb": memory}}})

test_a_session_inside_all_limits_is_opened if registry.authorize.allow with input as question

test_the_cap_itself_is_allowed if registry.authorize.allow with input as asking(64, 256)

test_no_role_goes_over_the_cap if {
	every role in data.bundle.actions["registry.session.open"].roles {
		every over in [[65, 1], [1, 257]] {
			answer := registry.authorize with input as object.union(asking(over[0], over[1]), {"subject": {"roles": [role]}})
			answer.deny == {"limit.role"}
		}
	}
}

test_the_cap_holds_for_who_has_every_role if {
	roles := data.bundle.actions["registry.session.open"].roles
	answer := registry.authorize with input as object.union(asking(65, 1), {"subject": {"roles": roles}})
	answer.deny == {"limit.role"}
}

test_the_cap_holds_whatever_a_role_is_given if {
	answer := registry.authorize with input as asking(65, 1)
		with data.bundle.settings.registry.session.roles as {"data_scientist": {"cores": 128}}
	answer.deny == {"limit.role"}
}

test_a_role_may_have_less if {
	small := {"subject": {"roles": ["auditor"]}}
	registry.authorize.allow with input as object.union(asking(8, 32), small)
	answer := registry.authorize with input as object.union(asking(9, 32), small)
	answer.deny == {"limit.role"}
}

test_the_larger_of_two_roles_counts if {
	registry.authorize.allow with input as object.union(asking(16, 64), {"subject": {"roles": ["auditor", "data_scientist"]}})
}

test_the_refusal_names_the_person_and_the_limit if {
	answer := registry.authorize with input as asking(65, 300)
	answer.reasons["limit.role"].message == concat("", [
		"one session of this role is smaller: ",
		"anna asks for 65 cores and 300 GB, the limit is 64 cores and 256 GB",
	])
}

test_all_sessions_together_stay_inside_the_quota if {
	registry.authorize.allow with input as holding(80, 320)
	every held in [[81, 0], [0, 321]] {
		answer := registry.authorize with input as holding(held[0], held[1])
		answer.deny == {"quota.person"}
	}
}

test_the_quota_is_told_with_what_is_held if {
	answer := registry.authorize with input as holding(90, 100)
	answer.reasons["quota.person"].message == concat("", [
		"all sessions of one person together are smaller: ",
		"anna holds 90 cores and 100 GB and asks for 16 and 64, the quota is 96 cores and 384 GB",
	])
}

test_a_person_may_have_a_quota_of_their_own if {
	registry.authorize.allow with input as holding(90, 100)
		with data.bundle.settings.registry.session.quota_of as {"anna": {"cores": 128}}
	answer := registry.authorize with input as question
		with data.bundle.settings.registry.session.quota_of as {"anna": {"cores": 8}}
	answer.deny == {"quota.person"}
}

test_untold_holdings_are_over_every_quota if {
	answer := registry.authorize with input as json.remove(question, ["/facts/held"])
	answer.deny == {"input.incomplete", "quota.person"}
	every field in ["cores", "memory_gb"] {
		odd := registry.authorize with input as changed({"facts": {"held": {field: "none"}}})
		odd.deny == {"input.incomplete", "quota.person"}
		asks := registry.authorize with input as changed({"object": {"attributes": {field: "many"}}})
		"quota.person" in asks.deny
	}
}

test_who_has_no_role_has_no_compute if {
	answer := registry.authorize with input as changed({"subject": {"roles": []}})
	answer.deny == {"role.not_granted", "limit.role"}
}

closing := changed({"action": "registry.session.close"})

test_a_person_closes_their_own_session if registry.authorize.allow with input as closing

test_a_stranger_does_not if {
	answer := registry.authorize with input as object.union(closing, {"subject": {"login": "boris"}})
	answer.deny == {"session.own_only"}
}

test_an_operator_closes_any if {
	registry.authorize.allow with input as object.union(closing, {"subject": {"login": "olga", "roles": ["operator"]}})
}

test_an_unnamed_owner_is_nobody if {
	answer := registry.authorize with input as object.union(closing, {"object": {"id": 7}, "subject": {"login": 7}})
	"session.own_only" in answer.deny
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if session.deny == set() with input as {"action": "registry.session.other"}
