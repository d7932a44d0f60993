# Who may decide what answers: people who did not make the version.
package letopis.inference.deployment

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

# Written positively: an author who is not named makes nobody independent.
deny contains "deployment.own_version" if {
	input.action == "inference.deployment.deploy"
	not independent
}

independent if input.subject.person != input.facts.author
