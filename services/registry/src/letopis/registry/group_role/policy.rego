# What a group may open, and who says so.
package letopis.registry.group_role

import data.bundle.settings.registry.group_role as settings
import data.bundle.settings.registry.principal.toxic
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

changes := {"registry.group_role.propose", "registry.group_role.approve"}

deny contains "roles.toxic_pair" if {
	input.action in changes
	not compatible
}

compatible if {
	given := {role | some role in input.object.attributes.roles}
	every pair in toxic {
		count({role | some role in pair} - given) > 0
	}
}

deny contains "group_role.not_by_group" if {
	input.action in changes
	not ordinary
}

# Who registers others, and what programs are, is said of each by name.
ordinary if {
	every role in input.object.attributes.roles {
		not role in settings.by_name_only
	}
}

deny contains "four_eyes.own_proposal" if {
	input.action == "registry.group_role.approve"
	not input.subject.person != input.facts.proposed_by
}

deny contains "group_role.step_up" if {
	input.action == "registry.group_role.approve"
	not fresh
}

fresh if {
	is_number(input.facts.mfa_age)
	input.facts.mfa_age <= settings.step_up_seconds
}
