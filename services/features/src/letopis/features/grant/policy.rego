# Who opens columns to whom.
package letopis.features.grant

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "four_eyes.own_grant" if {
	input.action == "features.grant.issue"
	not to_another
}

to_another if input.subject.person != input.object.attributes.grantee
