# For what a notebook gets a key, and for how long.
package letopis.registry.notebook_key

import data.bundle.settings.registry.notebook_key as settings
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "notebook_key.too_long" if {
	input.action == "registry.notebook_key.issue"
	not short
}

short if {
	is_number(input.object.attributes.days)
	input.object.attributes.days <= settings.longest_days
}

deny contains "notebook_key.use_case" if {
	input.action == "registry.notebook_key.issue"
	not input.facts.use_case_approved == true
}

deny contains "notebook_key.own_only" if {
	input.action == "registry.notebook_key.revoke"
	not concerned
}

concerned if input.facts.own == true

concerned if "security_officer" in input.subject.roles
