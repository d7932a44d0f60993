# Who may add which evidence to a version.
package letopis.registry.evidence

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "evidence.independent_validation" if {
	input.action == "registry.evidence.add"
	not independent
}

# Validation is another hand's work; all other checks may come from the author's own pipeline.
independent if {
	is_string(input.facts.kind)
	input.facts.kind != "validation_report"
}

independent if {
	"validator" in input.subject.roles
	input.subject.person != input.facts.author
}
