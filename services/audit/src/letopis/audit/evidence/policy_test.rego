package letopis.audit.evidence_test

import data.letopis.audit

import future.keywords.not
import rego.v1

question := {
	"action": "",
	"subject": {"person": "irina", "login": "irina", "roles": [], "groups": []},
	"purpose": "supervision",
	"object": {"type": "thing", "id": "one", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

asked(action, role) := object.union(question, {"action": action, "subject": {"roles": [role]}})

test_read_is_open_to_auditor if audit.authorize.allow with input as asked("audit.evidence.read", "auditor")

test_read_is_closed_to_data_scientist if {
	answer := audit.authorize with input as asked("audit.evidence.read", "data_scientist")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_export_is_open_to_regulator if audit.authorize.allow with input as asked("audit.evidence.export", "regulator")

test_export_is_closed_to_model_owner if {
	answer := audit.authorize with input as asked("audit.evidence.export", "model_owner")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_download_is_open_to_auditor if audit.authorize.allow with input as asked("audit.evidence.download", "auditor")

test_download_is_closed_to_service if {
	answer := audit.authorize with input as asked("audit.evidence.download", "service")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_export_needs_a_purpose if {
	answer := audit.authorize with input as object.union(asked("audit.evidence.export", "auditor"), {"purpose": ""})
	not answer.allow
	answer.deny == {"input.incomplete"}
}
