package letopis.inference.job_test

import data.letopis.inference
import rego.v1

begin := {
	"action": "inference.job.start",
	"subject": {"person": "", "login": "bank-app", "roles": ["consumer"], "groups": []},
	"purpose": "credit decisions",
	"object": {"type": "application", "id": "credit.v1", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"consumers": ["bank-app"]},
}

changed(part) := object.union(begin, part)

test_a_granted_consumer_starts_a_job if inference.authorize.allow with input as begin

test_an_ungranted_consumer_does_not if {
	answer := inference.authorize with input as changed({"facts": {"consumers": []}})
	answer.deny == {"job.consumer_not_granted"}
}

test_whoever_sees_jobs_needs_no_grant if {
	inference.authorize.allow with input as changed({
		"action": "inference.job.read",
		"subject": {"roles": ["auditor"]},
		"facts": {"consumers": []},
	})
}
