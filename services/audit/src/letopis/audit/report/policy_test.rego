package letopis.audit.report_test

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

test_issue_is_open_to_auditor if audit.authorize.allow with input as asked("audit.report.issue", "auditor")

test_issue_is_closed_to_risk_officer if {
	answer := audit.authorize with input as asked("audit.report.issue", "risk_officer")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_list_is_open_to_model_owner if audit.authorize.allow with input as asked("audit.report.list", "model_owner")

test_list_is_closed_to_data_engineer if {
	answer := audit.authorize with input as asked("audit.report.list", "data_engineer")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_read_is_open_to_risk_officer if audit.authorize.allow with input as asked("audit.report.read", "risk_officer")

test_read_is_closed_to_model_owner if {
	answer := audit.authorize with input as asked("audit.report.read", "model_owner")
	not answer.allow
	answer.deny == {"role.not_granted"}
}
