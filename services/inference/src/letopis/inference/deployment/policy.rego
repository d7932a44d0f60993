# Who may decide what answers: people who did not make the version.
package letopis.inference.deployment

import rego.v1
import future.keywords.not

import data.letopis.gate

default allow := false

allow if gate.open(deny)

# Written positively: an author who is not named makes nobody independent.
deny contains "deployment.own_version" if {
	input.action == "inference.deployment.deploy"
	not independent
}

independent if input.subject.person != input.facts.author
