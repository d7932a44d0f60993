package letopis.registry.break_glass_test

import data.letopis.registry
import data.letopis.registry.break_glass

import rego.v1

request := {
	"action": "registry.break_glass.request",
	"subject": {"person": "boris", "login": "boris", "roles": ["model_owner"], "groups": []},
	"purpose": "",
	"object": {"type": "model", "id": "credit", "attributes": {"hours": 24}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"mfa_age": 900},
}

confirm := object.union(request, {
	"action": "registry.break_glass.confirm",
	"subject": {"person": "pavel", "login": "pavel", "roles": ["security_officer"]},
	"facts": {"requested_by": "boris", "author": "anna", "independent": true, "hands": "none"},
})

review := object.union(request, {
	"action": "registry.break_glass.review",
	"subject": {"person": "vera", "login": "vera", "roles": ["validator"]},
	"facts": {"requested_by": "boris", "confirmed_by": "pavel"},
})

test_three_people_act_one_after_the_other if {
	every question in [request, confirm, review] {
		registry.authorize.allow with input as question
	}
}

test_who_asked_or_made_the_version_does_not_agree if {
	every person in ["boris", "anna"] {
		answer := registry.authorize with input as object.union(confirm, {"subject": {"person": person}})
		answer.deny == {"break_glass.same_person"}
	}
}

test_nobody_agrees_through_another_hand if {
	answer := registry.authorize with input as object.union(confirm, {"facts": {"independent": false, "hands": "boris by x"}})
	answer.deny == {"break_glass.proxy"}
	endswith(answer.reasons["break_glass.proxy"].message, ": boris by x")
}

test_who_took_part_does_not_review if {
	every person in ["boris", "pavel"] {
		answer := registry.authorize with input as object.union(review, {"subject": {"person": person}})
		answer.deny == {"break_glass.reviewer_involved"}
	}
}

test_a_stale_second_factor_does_not_break_the_glass if {
	every question in [request, confirm] {
		answer := registry.authorize with input as object.union(question, {"facts": {"mfa_age": 901}})
		answer.deny == {"break_glass.step_up"}
	}
}

test_a_review_needs_no_second_factor if {
	registry.authorize.allow with input as object.union(review, {"facts": {"mfa_age": 1000000000}})
}

test_a_day_is_the_longest if {
	answer := registry.authorize with input as object.union(request, {"object": {"attributes": {"hours": 25}}})
	answer.deny == {"break_glass.too_long"}
}

test_what_is_no_number_is_denied if {
	"break_glass.too_long" in registry.authorize.deny with input as object.union(request, {"object": {"attributes": {"hours": false}}})
	"break_glass.step_up" in registry.authorize.deny with input as object.union(request, {"facts": {"mfa_age": false}})
}

test_no_service_takes_part if {
	every question in [request, confirm, review] {
		roles := array.concat(question.subject.roles, ["service"])
		answer := registry.authorize with input as object.union(question, {"subject": {"roles": roles}})
		answer.deny == {"break_glass.human_hand"}
		nobody := registry.authorize with input as object.union(question, {"subject": {"person": ""}})
		"break_glass.human_hand" in nobody.deny
	}
}

test_unnamed_people_are_no_others if {
	"break_glass.same_person" in registry.authorize.deny with input as json.remove(confirm, ["/facts/requested_by"])
	"break_glass.reviewer_involved" in registry.authorize.deny with input as json.remove(review, ["/facts/confirmed_by"])
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if break_glass.deny == set() with input as {"action": "registry.break_glass.other"}
