# Who decides on a use case.
package letopis.registry.use_case

import rego.v1
import future.keywords.not

import data.letopis.gate

default allow := false

allow if gate.open(deny)

deny contains "four_eyes.own_use_case" if {
	input.action in {"registry.use_case.approve", "registry.use_case.reject"}
	not another_hand
}

another_hand if input.subject.person != input.facts.proposer
