# Who may change what is in production.
package letopis.registry.production

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "rollback.reason" if {
	input.action == "registry.production.roll_back"
	not readable
}

readable if {
	is_string(input.facts.reason)
	count(trim_space(input.facts.reason)) >= 10
}
