# Who changes policy: one person writes and rehearses, another one publishes.
package letopis.registry.policy_release

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "release.self_publication" if {
	input.action == "registry.policy_release.publish"
	not independent
}

independent if input.subject.person != input.facts.author

# Those of the whole bank change everything; others what they were given, department by department (`policy:<name>`).
deny contains "release.out_of_scope" if {
	input.action in {"registry.policy_release.draft", "registry.policy_release.publish"}
	not in_scope
}

in_scope if {
	some role in input.subject.roles
	role in {"risk_officer", "security_officer", "operator"}
}

in_scope if {
	every path in input.facts.paths {
		mine(path)
	}
}

mine(path) if {
	some group in input.subject.groups
	is_string(group)
	is_string(path)
	startswith(group, "policy:")
	startswith(path, sprintf("overlays/%s/", [trim_prefix(group, "policy:")]))
}

deny contains "release.other_draft" if {
	input.action == "registry.policy_release.withdraw"
	not entitled
}

entitled if input.subject.person == input.facts.author

entitled if "security_officer" in input.subject.roles
