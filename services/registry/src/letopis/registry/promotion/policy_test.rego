package letopis.registry.promotion_test

import data.letopis.registry
import data.letopis.registry.promotion

import future.keywords.not
import rego.v1

question := {
	"action": "registry.promotion.approve",
	"subject": {"person": "boris", "login": "boris", "roles": ["model_owner"], "groups": []},
	"purpose": "",
	"object": {"type": "promotion", "id": "p1", "attributes": {"version_id": "credit.1"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"author": "anna", "requester": "carl", "tier": 1, "mfa_age": 60, "emergencies_reviewed": true, "independent": true, "hands": "none"},
}

request := object.union(question, {
	"action": "registry.promotion.request",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"]},
})

changed(part) := object.union(question, part)

test_another_person_approves if registry.authorize.allow with input as question

test_the_author_does_not_approve if {
	answer := registry.authorize with input as changed({"subject": {"person": "anna"}})
	not answer.allow
	answer.deny == {"four_eyes.self_approval"}
}

test_the_requester_does_not_approve if {
	answer := registry.authorize with input as changed({"subject": {"person": "carl"}})
	answer.deny == {"four_eyes.self_approval"}
}

test_unnamed_authors_are_denied if {
	answer := registry.authorize with input as json.remove(question, ["/facts/author"])
	"four_eyes.self_approval" in answer.deny
}

test_a_service_does_not_approve if {
	answer := registry.authorize with input as changed({"subject": {"roles": ["model_owner", "service"]}})
	answer.deny == {"promotion.human_hand"}
}

test_the_author_may_reject if {
	registry.authorize.allow with input as changed({"action": "registry.promotion.reject", "subject": {"person": "anna"}})
}

test_a_nameless_hand_does_not_reject if {
	answer := registry.authorize with input as changed({"action": "registry.promotion.reject", "subject": {"person": ""}})
	"promotion.human_hand" in answer.deny
}

test_tier_one_asks_for_a_validation_report if {
	answer := registry.authorize with input as request
	answer.allow
	some term in answer.obligations
	term.type == "evidence"
	"validation_report" in term.kinds
}

test_tier_three_asks_for_less if {
	answer := registry.authorize with input as object.union(request, {"facts": {"tier": 3}})
	some term in answer.obligations
	term.type == "evidence"
	not "validation_report" in term.kinds
}

test_an_unknown_tier_is_the_strictest if {
	strictest := registry.authorize with input as request
	answer := registry.authorize with input as object.union(request, {"facts": {"tier": 9}})
	answer.obligations == strictest.obligations
}

test_nobody_approves_through_another_hand if {
	answer := registry.authorize with input as changed({"facts": {"independent": false, "hands": "anna made or asked, boris by a lent role"}})
	answer.deny == {"four_eyes.proxy"}
	endswith(answer.reasons["four_eyes.proxy"].message, ": anna made or asked, boris by a lent role")
	registry.authorize.allow with input as object.union(request, {"facts": {"independent": false}})
}

test_an_unreviewed_emergency_stops_the_ordinary_way if {
	every one in [question, request] {
		answer := registry.authorize with input as object.union(one, {"facts": {"emergencies_reviewed": false}})
		answer.deny == {"break_glass.unreviewed"}
	}
}

test_a_stale_second_factor_does_not_approve if {
	every age in [901, 1000000000] {
		answer := registry.authorize with input as changed({"facts": {"mfa_age": age}})
		answer.deny == {"step_up.stale"}
	}
}

test_a_quarter_of_an_hour_is_fresh if {
	registry.authorize.allow with input as changed({"facts": {"mfa_age": 900}})
}

test_a_lower_tier_asks_for_no_second_factor if {
	registry.authorize.allow with input as changed({"facts": {"tier": 2, "mfa_age": 1000000000}})
}

test_what_is_no_number_is_no_tier_and_no_age if {
	"step_up.stale" in registry.authorize.deny with input as changed({"facts": {"tier": "2", "mfa_age": 901}})
	"step_up.stale" in registry.authorize.deny with input as changed({"facts": {"mfa_age": false}})
}

test_to_reject_needs_no_second_factor if {
	registry.authorize.allow with input as changed({"action": "registry.promotion.reject", "facts": {"mfa_age": 1000000000}})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if promotion.deny == set() with input as {"action": "registry.promotion.other"}

test_the_terms_are_told_to_who_previews_and_who_requests if {
	every action in ["registry.promotion.preview", "registry.promotion.request"] {
		answer := registry.authorize with input as object.union(request, {"action": action})
		{"type": "approvals", "count": 1} in answer.obligations
		count(answer.obligations) == 2
	}
}
