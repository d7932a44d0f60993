package letopis.inference.deployment_test

import data.letopis.inference
import data.letopis.inference.deployment

import future.keywords.not
import rego.v1

deploy := {
	"action": "inference.deployment.deploy",
	"subject": {"person": "olga", "login": "olga", "roles": ["operator"], "groups": []},
	"purpose": "",
	"object": {"type": "deployment", "id": "credit.v1", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"author": "anna"},
}

changed(part) := object.union(deploy, part)

test_an_operator_deploys_what_another_made if inference.authorize.allow with input as deploy

test_an_author_does_not_deploy_their_own_version if {
	answer := inference.authorize with input as changed({"subject": {"person": "anna"}})
	not answer.allow
	answer.deny == {"deployment.own_version"}
}

test_an_unnamed_author_makes_nobody_independent if {
	answer := inference.authorize with input as json.remove(deploy, ["/facts/author"])
	not answer.allow
	"deployment.own_version" in answer.deny
}

test_a_data_scientist_does_not_deploy if {
	answer := inference.authorize with input as changed({"subject": {"roles": ["data_scientist"]}})
	answer.deny == {"role.not_granted"}
}

test_anyone_known_sees_what_can_be_called if {
	inference.authorize.allow with input as changed({
		"action": "inference.deployment.applications",
		"subject": {"roles": ["auditor"]},
	})
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if deployment.deny == set() with input as {"action": "inference.deployment.other"}
