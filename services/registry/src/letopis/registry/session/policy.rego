# How much compute a role may ask for at once, and a person hold altogether.
package letopis.registry.session

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

kinds := {"cores", "memory_gb"}

asked := {"cores": input.object.attributes.cores, "memory_gb": input.object.attributes.memory_gb}

held := {"cores": input.facts.held.cores, "memory_gb": input.facts.held.memory_gb}

# The largest limit among the roles of the person; no role is above the cap, and one that is not listed is at it.
limit(kind) := min({gate.terms.cap[kind], max({of_role(role, kind) | some role in input.subject.roles})})

of_role(role, kind) := object.get(gate.terms.roles, [role, kind], gate.terms.cap[kind])

deny contains "limit.role" if {
	input.action == "registry.session.open"
	not within_limits
}

within_limits if {
	every kind in kinds {
		asked[kind] <= limit(kind)
	}
}

quota(kind) := object.get(gate.terms.quota_of, [input.subject.login, kind], gate.terms.quota[kind])

deny contains "quota.person" if {
	input.action == "registry.session.open"
	not within_quota
}

within_quota if {
	every kind in kinds {
		is_number(held[kind])
		is_number(asked[kind])
		held[kind] + asked[kind] <= quota(kind)
	}
}

# Names who asked for how much, and how much there is; words cost time, so only where a rule fired.
details["limit.role"] := sprintf("%s asks for %v cores and %v GB, the limit is %v cores and %v GB", [
	input.subject.login,
	asked.cores,
	asked.memory_gb,
	limit("cores"),
	limit("memory_gb"),
]) if "limit.role" in deny

details["quota.person"] := sprintf("%s holds %v cores and %v GB and asks for %v and %v, the quota is %v cores and %v GB", [
	input.subject.login,
	held.cores,
	held.memory_gb,
	asked.cores,
	asked.memory_gb,
	quota("cores"),
	quota("memory_gb"),
]) if "quota.person" in deny

deny contains "session.own_only" if {
	input.action == "registry.session.close"
	not own
}

own if {
	is_string(input.object.id)
	input.object.id == input.subject.login
}

own if "operator" in input.subject.roles
