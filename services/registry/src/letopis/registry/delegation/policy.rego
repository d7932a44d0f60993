# Who may lend a role, to whom, and for how long.
package letopis.registry.delegation

import data.bundle.settings.registry.delegation as settings
import data.bundle.settings.registry.principal.toxic
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "delegation.role" if {
	input.action == "registry.delegation.give"
	not lendable
}

lendable if {
	every role in input.object.attributes.roles {
		role in settings.roles
	}
}

deny contains "delegation.too_long" if {
	input.action == "registry.delegation.give"
	not dated
}

dated if {
	is_number(input.object.attributes.days)
	input.object.attributes.days >= 0
	input.object.attributes.days <= settings.longest_days
}

deny contains "delegation.for_people" if {
	input.action == "registry.delegation.give"
	not input.object.attributes.kind == "human"
}

deny contains "roles.toxic_pair" if {
	input.action == "registry.delegation.give"
	not compatible
}

# One person never holds both roles of a pair, not for a week either.
compatible if {
	held := {role | some role in input.object.attributes.roles} | {role | some role in input.object.attributes.held}
	every pair in toxic {
		count({role | some role in pair} - held) > 0
	}
}

deny contains "delegation.parties_only" if {
	input.action == "registry.delegation.end"
	not concerned
}

concerned if input.facts.party == true

concerned if "security_officer" in input.subject.roles
