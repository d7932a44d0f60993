# Who may say that an alert is over.
package letopis.monitoring.alert

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "alert.critical_resolution" if {
	input.action == "monitoring.alert.resolve"
	not answerable
}

answerable if input.facts.severity == "major"

answerable if {
	some role in input.subject.roles
	role in {"model_owner", "validator", "risk_officer"}
}
