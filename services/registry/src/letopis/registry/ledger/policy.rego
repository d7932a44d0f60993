# Who may read the registry's ledger at its owner's door.
package letopis.registry.ledger

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "ledger.not_subscribed" if {
	input.action == "registry.ledger.read"
	not reader
}

# Auditors and our own services read every ledger.
reader if {
	some role in input.subject.roles
	role in {"auditor", "service"}
}

# An outside system reads the ledgers it was let into, one by one.
reader if sprintf("ledger:%s", [input.object.id]) in input.subject.groups
