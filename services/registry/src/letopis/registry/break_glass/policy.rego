# Who may break the glass, who may agree, and who looks at it afterwards.
package letopis.registry.break_glass

import data.bundle.settings.registry.break_glass as settings
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

acts := {"registry.break_glass.request", "registry.break_glass.confirm", "registry.break_glass.review"}

deny contains "break_glass.human_hand" if {
	input.action in acts
	not human
}

human if {
	input.subject.person != ""
	not "service" in input.subject.roles
}

deny contains "break_glass.same_person" if {
	input.action == "registry.break_glass.confirm"
	not another
}

another if {
	input.subject.person != input.facts.requested_by
	input.subject.person != input.facts.author
}

deny contains "break_glass.proxy" if {
	input.action == "registry.break_glass.confirm"
	not input.facts.independent == true
}

details["break_glass.proxy"] := input.facts.hands if is_string(input.facts.hands)

deny contains "break_glass.reviewer_involved" if {
	input.action == "registry.break_glass.review"
	not uninvolved
}

uninvolved if {
	input.subject.person != input.facts.requested_by
	input.subject.person != input.facts.confirmed_by
}

deny contains "break_glass.step_up" if {
	input.action in {"registry.break_glass.request", "registry.break_glass.confirm"}
	not fresh
}

fresh if {
	is_number(input.facts.mfa_age)
	input.facts.mfa_age <= settings.step_up_seconds
}

deny contains "break_glass.too_long" if {
	input.action == "registry.break_glass.request"
	not short
}

short if {
	is_number(input.object.attributes.hours)
	input.object.attributes.hours <= settings.longest_hours
}
