package letopis.features.online_test

import data.letopis.features

import future.keywords.not
import rego.v1

read := {
	"action": "features.online.read",
	"subject": {"person": "", "login": "service:inference", "roles": ["service"], "groups": []},
	"purpose": "credit",
	"object": {"type": "bundle", "id": "credit.1", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_a_service_reads_under_a_lease_and_masked if {
	answer := features.authorize with input as read
	answer.allow
	answer.obligations == {
		{"type": "lease", "seconds": 300},
		{"type": "mask", "classes": ["personal", "restricted"]},
	}
}

test_listing_who_reads_imposes_nothing if {
	question := object.union(read, {"action": "features.online.list"})
	answer := features.authorize with input as question
	answer.allow
	answer.obligations == set()
}

test_a_purpose_is_stated if {
	answer := features.authorize with input as json.remove(read, ["/purpose"])
	not answer.allow
	answer.deny == {"input.incomplete"}
}

test_a_regulator_does_not_read_values if {
	answer := features.authorize with input as object.union(read, {"subject": {"roles": ["regulator"]}})
	not answer.allow
	answer.deny == {"role.not_granted"}
}
