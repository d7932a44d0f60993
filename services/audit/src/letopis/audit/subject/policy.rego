# Who decides on the data of a person.
package letopis.audit.subject

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "four_eyes.own_erasure" if {
	input.action == "audit.subject.approve"
	not another_hand
}

another_hand if input.subject.person != input.facts.requester
