# Who may score: consumers that hold a grant for the application.
package letopis.inference.scoring

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "consumer.not_granted" if {
	input.action == "inference.scoring.score"
	not granted
}

granted if input.subject.login in input.facts.consumers
