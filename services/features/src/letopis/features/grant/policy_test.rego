package letopis.features.grant_test

import data.letopis.features
import data.letopis.features.grant

import future.keywords.not
import rego.v1

issue := {
	"action": "features.grant.issue",
	"subject": {"person": "pavel", "login": "pavel", "roles": ["security_officer"], "groups": []},
	"purpose": "",
	"object": {"type": "grant", "id": "g-1", "tenant": "", "attributes": {"grantee": "anna"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_an_officer_grants_to_another if features.authorize.allow with input as issue

test_an_officer_does_not_grant_to_themselves if {
	question := object.union(issue, {"object": {"attributes": {"grantee": "pavel"}}})
	answer := features.authorize with input as question
	not answer.allow
	answer.deny == {"four_eyes.own_grant"}
}

test_nobody_named_is_nobody_else if {
	answer := features.authorize with input as json.remove(issue, ["/object/attributes/grantee"])
	not answer.allow
	"four_eyes.own_grant" in answer.deny
}

test_an_engineer_grants_nothing if {
	answer := features.authorize with input as object.union(issue, {"subject": {"roles": ["data_engineer"]}})
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_an_officer_revokes if {
	features.authorize.allow with input as object.union(issue, {"action": "features.grant.revoke"})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if grant.deny == set() with input as {"action": "features.grant.other"}
