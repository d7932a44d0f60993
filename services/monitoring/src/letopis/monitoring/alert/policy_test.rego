package letopis.monitoring.alert_test

import data.letopis.monitoring
import data.letopis.monitoring.alert

import future.keywords.not
import rego.v1

question := {
	"action": "monitoring.alert.resolve",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": []},
	"purpose": "",
	"object": {"type": "alert", "id": "a", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"severity": "critical"},
}

test_a_scientist_does_not_resolve_a_critical_alert if {
	answer := monitoring.authorize with input as question
	not answer.allow
	answer.deny == {"alert.critical_resolution"}
}

test_a_scientist_resolves_a_major_alert if {
	monitoring.authorize.allow with input as object.union(question, {"facts": {"severity": "major"}})
}

test_an_owner_resolves_a_critical_alert if {
	monitoring.authorize.allow with input as object.union(question, {"subject": {"roles": ["model_owner"]}})
}

test_an_unknown_severity_is_denied if {
	answer := monitoring.authorize with input as json.remove(question, ["/facts/severity"])
	"alert.critical_resolution" in answer.deny
}

test_acknowledging_is_free if {
	monitoring.authorize.allow with input as object.union(question, {"action": "monitoring.alert.acknowledge"})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if alert.deny == set() with input as {"action": "monitoring.alert.other"}

test_those_who_answer_for_a_model_resolve_a_critical_alert if {
	every role in ["model_owner", "validator", "risk_officer"] {
		monitoring.authorize.allow with input as object.union(question, {"subject": {"roles": [role]}})
	}
}
