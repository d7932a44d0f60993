# Who decides on a use case.
package letopis.registry.use_case

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "four_eyes.own_use_case" if {
	input.action in {"registry.use_case.approve", "registry.use_case.reject"}
	not another_hand
}

another_hand if input.subject.person != input.facts.proposer
