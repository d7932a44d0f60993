package letopis.audit.subject_test

import data.letopis.audit

import future.keywords.not
import rego.v1

question := {
	"action": "audit.subject.approve",
	"subject": {"person": "vera", "login": "vera", "roles": ["risk_officer"], "groups": []},
	"purpose": "",
	"object": {"type": "subject", "id": "account_id:17", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"requester": "pavel"},
}

test_a_second_person_approves if audit.authorize.allow with input as question

test_who_asked_does_not_approve if {
	own := object.union(question, {"facts": {"requester": "vera"}})
	answer := audit.authorize with input as own
	not answer.allow
	answer.deny == {"four_eyes.own_erasure"}
}

test_an_unnamed_requester_is_denied if {
	answer := audit.authorize with input as json.remove(question, ["/facts/requester"])
	"four_eyes.own_erasure" in answer.deny
}

test_who_asks_need_not_be_a_second_person if {
	asked := object.union(question, {"action": "audit.subject.request"})
	audit.authorize.allow with input as json.remove(asked, ["/facts/requester"])
}
