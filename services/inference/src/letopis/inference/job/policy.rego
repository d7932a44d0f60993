# Who may score files: the same consumers that may score rows.
package letopis.inference.job

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "job.consumer_not_granted" if {
	input.action == "inference.job.start"
	not granted
}

granted if input.subject.login in input.facts.consumers
