# What a promotion needs by risk tier, and who may decide on it.
package letopis.registry.promotion

import data.bundle.settings.registry.promotion.step_up
import data.bundle.settings.registry.promotion.tiers
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "four_eyes.self_approval" if {
	input.action == "registry.promotion.approve"
	not independent
}

independent if {
	input.subject.person != input.facts.author
	input.subject.person != input.facts.requester
}

deny contains "promotion.human_hand" if {
	input.action in {"registry.promotion.approve", "registry.promotion.reject"}
	not human
}

human if {
	input.subject.person != ""
	not "service" in input.subject.roles
}

# Nobody approves through another hand: a second login, a commit, a lent role, a team.
deny contains "four_eyes.proxy" if {
	input.action == "registry.promotion.approve"
	not input.facts.independent == true
}

details["four_eyes.proxy"] := input.facts.hands if is_string(input.facts.hands)

# Whoever broke the glass has it looked at before the model goes on in the ordinary way.
deny contains "break_glass.unreviewed" if {
	input.action in {"registry.promotion.request", "registry.promotion.approve"}
	not input.facts.emergencies_reviewed == true
}

# Who approves what weighs has shown a second factor a short while ago.
deny contains "step_up.stale" if {
	input.action == "registry.promotion.approve"
	not fresh_enough
}

fresh_enough if {
	is_number(input.facts.tier)
	input.facts.tier > step_up.tiers_up_to
}

fresh_enough if {
	is_number(input.facts.mfa_age)
	input.facts.mfa_age <= step_up.seconds
}

# An unknown tier asks for as much as the strictest.
tier := object.get(tiers, sprintf("%v", [input.facts.tier]), tiers["1"])

asks_for_terms if input.action in {"registry.promotion.request", "registry.promotion.preview"}

obligations contains {"type": "evidence", "kinds": tier.evidence} if asks_for_terms

obligations contains {"type": "approvals", "count": tier.approvals} if asks_for_terms
