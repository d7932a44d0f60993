# Who may register people, give roles and enrol keys.
package letopis.registry.principal

import data.bundle.settings.registry.principal as settings
import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

giving := {
	"registry.principal.grant_role",
	"registry.principal.join_group",
	"registry.principal.register",
	"registry.principal.register_batch",
}

deny contains "enrolment.used" if {
	input.action == "registry.principal.enrol_first"
	not input.facts.enrolled == false
}

deny contains "enrolment.wrong_token" if {
	input.action == "registry.principal.enrol_first"
	not input.facts.token_matches == true
}

deny contains "roles.own_grant" if {
	input.action in giving
	not given_to_another
}

given_to_another if {
	input.action != "registry.principal.register_batch"
	input.object.id != input.subject.login
}

given_to_another if {
	every login in input.object.attributes.logins {
		login != input.subject.login
	}
}

deny contains "trainings.own" if {
	input.action == "registry.principal.attest_training"
	not of_another
}

of_another if {
	is_string(input.object.id)
	input.object.id != input.subject.login
}

deny contains "roles.toxic_pair" if {
	input.action in giving
	not compatible
}

# An administrator, or whoever leads the group while it opens no role: a lead brings in colleagues, not rights.
deny contains "groups.not_lead" if {
	input.action in {"registry.principal.join_group", "registry.principal.leave_group"}
	not leads
}

leads if "administrator" in input.subject.roles

leads if {
	is_string(input.object.attributes.group)
	concat(":", ["lead", input.object.attributes.group]) in input.subject.groups
	input.object.attributes.roles == []
}

# One person never holds both roles of a pair.
compatible if {
	held := {role | some role in input.object.attributes.roles} | {role | some role in input.object.attributes.held}
	every pair in settings.toxic {
		count({role | some role in pair} - held) > 0
	}
}

# Whoever is not of the bank has an end date, and not one far away. Shortening needs no reason.
deny contains "contractors.end_date" if {
	input.action in {
		"registry.principal.register",
		"registry.principal.register_batch",
		"registry.principal.change_end",
	}
	not ends_in_time
}

ends_in_time if input.object.attributes.kind == "service"

ends_in_time if input.object.attributes.organisation in settings.own_organisations

ends_in_time if input.object.attributes.days <= settings.longest_contract_days

# A person judges and approves; a program scores, reads online, or follows a ledger, and no more.
of_programs := {"consumer", "subscriber"}

deny contains "roles.for_people" if {
	input.action in giving
	not suitable
}

suitable if input.object.attributes.kind == "human"

suitable if {
	input.object.attributes.kind == "service"
	every role in input.object.attributes.roles {
		role in of_programs
	}
}

deny contains "keys.own_only" if {
	input.action in {
		"registry.principal.enroll_key",
		"registry.principal.revoke_key",
		"registry.principal.report_theft",
	}
	not own_key
}

own_key if {
	is_string(input.subject.login)
	input.object.id == input.subject.login
}

own_key if {
	input.action in {"registry.principal.revoke_key", "registry.principal.report_theft"}
	"security_officer" in input.subject.roles
}
