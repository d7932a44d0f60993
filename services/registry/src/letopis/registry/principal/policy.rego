# Who may register people, give roles and enrol keys.
package letopis.registry.principal

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

# One person never holds both roles of a pair.
toxic := {
	{"data_scientist", "validator"},
	{"data_scientist", "risk_officer"},
	{"administrator", "auditor"},
	{"administrator", "model_owner"},
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
	input.action in {"registry.principal.grant_role", "registry.principal.register"}
	not given_to_another
}

given_to_another if input.object.id != input.subject.login

deny contains "roles.toxic_pair" if {
	input.action in {"registry.principal.grant_role", "registry.principal.register"}
	some pair in toxic
	held := {role | some role in input.object.attributes.roles} | {role | some role in input.object.attributes.held}
	count(pair - held) == 0
}

# A person judges and approves; a program scores, reads online, or follows a ledger, and no more.
of_programs := {"consumer", "subscriber"}

deny contains "roles.for_people" if {
	input.action in {"registry.principal.grant_role", "registry.principal.register"}
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
	input.action in {"registry.principal.enroll_key", "registry.principal.revoke_key"}
	not own_key
}

own_key if {
	is_string(input.subject.login)
	input.object.id == input.subject.login
}

own_key if {
	input.action == "registry.principal.revoke_key"
	"security_officer" in input.subject.roles
}
