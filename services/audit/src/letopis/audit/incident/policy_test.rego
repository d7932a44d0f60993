package letopis.audit.incident_test

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

test_close_is_open_to_security_officer if audit.authorize.allow with input as asked("audit.incident.close", "security_officer")

test_close_is_closed_to_auditor if {
	answer := audit.authorize with input as asked("audit.incident.close", "auditor")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_list_is_open_to_operator if audit.authorize.allow with input as asked("audit.incident.list", "operator")

test_list_is_closed_to_data_engineer if {
	answer := audit.authorize with input as asked("audit.incident.list", "data_engineer")
	not answer.allow
	answer.deny == {"role.not_granted"}
}

request := json.patch(question, [
	{"op": "replace", "path": "/action", "value": "audit.incident.request"},
	{"op": "replace", "path": "/subject/person", "value": "olga"},
	{"op": "replace", "path": "/subject/roles", "value": ["operator"]},
	{"op": "replace", "path": "/facts", "value": {"reason": "0123456789"}},
])

approve := json.patch(question, [
	{"op": "replace", "path": "/action", "value": "audit.incident.approve"},
	{"op": "replace", "path": "/subject/person", "value": "pavel"},
	{"op": "replace", "path": "/subject/roles", "value": ["security_officer"]},
	{"op": "replace", "path": "/facts", "value": {"requested_by": "olga"}},
])

test_one_requests_and_another_approves if {
	audit.authorize.allow with input as request
	audit.authorize.allow with input as approve
}

test_who_requested_does_not_approve if {
	answer := audit.authorize with input as object.union(approve, {"subject": {"person": "olga"}})
	not answer.allow
	answer.deny == {"four_eyes.same_person"}
}

test_nobody_approves_without_a_person_on_either_side if {
	unnamed := audit.authorize with input as json.remove(approve, ["/subject/person"])
	"four_eyes.same_person" in unnamed.deny
	unasked := audit.authorize with input as json.remove(approve, ["/facts/requested_by"])
	"four_eyes.same_person" in unasked.deny
}

test_a_reason_has_ten_letters if {
	short := audit.authorize with input as object.union(request, {"facts": {"reason": " 012345678 "}})
	short.deny == {"incident.reason"}
	none := audit.authorize with input as json.remove(request, ["/facts/reason"])
	"incident.reason" in none.deny
}

test_a_reason_is_a_text if {
	answer := audit.authorize with input as object.union(request, {"facts": {"reason": 7777777777}})
	answer.deny == {"input.incomplete", "incident.reason"}
}

test_an_operator_does_not_approve if {
	answer := audit.authorize with input as object.union(approve, {"subject": {"roles": ["operator"]}})
	answer.deny == {"role.not_granted"}
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if data.letopis.audit.incident.deny == set() with input as {"action": "audit.incident.list"}
