# Who may release a fact that a reaction could not take: one asks with a reason, another agrees.
package letopis.inference.parked

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "parked.reason" if {
	input.action == "inference.parked.ask"
	not readable
}

readable if {
	is_string(input.facts.reason)
	count(trim_space(input.facts.reason)) >= 10
}

deny contains "four_eyes.same_person" if {
	input.action == "inference.parked.agree"
	not second
}

second if input.subject.person != input.facts.asked_by
