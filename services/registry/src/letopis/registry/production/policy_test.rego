package letopis.registry.production_test

import rego.v1
import future.keywords.not

import data.letopis.registry

question := {
	"action": "registry.production.roll_back",
	"subject": {"person": "boris", "login": "boris", "roles": ["model_owner"], "groups": []},
	"purpose": "",
	"object": {"type": "model", "id": "credit", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"reason": "drift alert in September"},
}

test_an_owner_rolls_back if registry.authorize.allow with input as question

test_a_reason_must_be_readable if {
	answer := registry.authorize with input as object.union(question, {"facts": {"reason": "  because "}})
	not answer.allow
	answer.deny == {"rollback.reason"}
}

test_no_reason_is_no_reason if {
	answer := registry.authorize with input as json.remove(question, ["/facts/reason"])
	"rollback.reason" in answer.deny
}

test_a_scientist_does_not_roll_back if {
	answer := registry.authorize with input as object.union(question, {"subject": {"roles": ["data_scientist"]}})
	answer.deny == {"role.not_granted"}
}
