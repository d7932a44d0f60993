# Who may let a ledger go on: an ordinary incident one person closes, a restored backup takes two.
package letopis.audit.incident

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "incident.reason" if {
	input.action == "audit.incident.request"
	not readable
}

readable if {
	is_string(input.facts.reason)
	count(trim_space(input.facts.reason)) >= 10
}

deny contains "four_eyes.same_person" if {
	input.action == "audit.incident.approve"
	not second
}

second if input.subject.person != input.facts.requested_by
