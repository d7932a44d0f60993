package letopis.registry.notebook_key_test

import data.letopis.registry
import data.letopis.registry.notebook_key

import rego.v1

issue := {
	"action": "registry.notebook_key.issue",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": []},
	"purpose": "",
	"object": {"type": "use_case", "id": "cards", "attributes": {"days": 30}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"use_case_approved": true},
}

revoke := object.union(issue, {
	"action": "registry.notebook_key.revoke",
	"object": {"type": "notebook_key", "id": "k1"},
	"facts": {"own": true},
})

test_a_key_for_a_month if registry.authorize.allow with input as issue

test_a_longer_one_is_denied if {
	answer := registry.authorize with input as object.union(issue, {"object": {"attributes": {"days": 31}}})
	answer.deny == {"notebook_key.too_long"}
	"notebook_key.too_long" in registry.authorize.deny with input as object.union(issue, {"object": {"attributes": {"days": false}}})
}

test_an_approved_use_case_stands_behind_it if {
	answer := registry.authorize with input as object.union(issue, {"facts": {"use_case_approved": false}})
	answer.deny == {"notebook_key.use_case"}
}

test_its_owner_revokes_it if registry.authorize.allow with input as revoke

test_others_do_not if {
	answer := registry.authorize with input as object.union(revoke, {"facts": {"own": false}})
	answer.deny == {"notebook_key.own_only"}
}

test_a_security_officer_does if {
	registry.authorize.allow with input as object.union(revoke, {
		"facts": {"own": false},
		"subject": {"roles": ["security_officer"]},
	})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if notebook_key.deny == set() with input as {"action": "registry.notebook_key.other"}
