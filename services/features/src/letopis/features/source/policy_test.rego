package letopis.features.source_test

import data.letopis.features
import data.letopis.features.source

import future.keywords.not
import rego.v1

extract := {
	"action": "features.source.extract",
	"subject": {"person": "oleg", "login": "oleg", "roles": ["data_engineer"], "groups": []},
	"purpose": "",
	"object": {"type": "source", "id": "panel", "tenant": "", "attributes": {"zone": "etl_copy"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

confirm := object.union(extract, {
	"action": "features.source.confirm",
	"subject": {"person": "pavel", "login": "pavel", "roles": ["security_officer"]},
	"facts": {"extracted_by": "oleg"},
})

changed(question, part) := object.union(question, part)

test_an_engineer_loads_a_copy if features.authorize.allow with input as extract

test_production_is_not_loaded if {
	question := changed(extract, {"object": {"attributes": {"zone": "production"}}})
	answer := features.authorize with input as question
	not answer.allow
	answer.deny == {"source.production_zone"}
}

test_nothing_is_uploaded_to_a_production_source if {
	question := changed(extract, {
		"action": "features.source.upload",
		"object": {"attributes": {"zone": "production"}},
	})
	answer := features.authorize with input as question
	not answer.allow
	answer.deny == {"source.production_zone"}
}

test_an_engineer_uploads if {
	features.authorize.allow with input as changed(extract, {"action": "features.source.upload"})
}

test_an_untold_zone_is_not_loaded if {
	answer := features.authorize with input as json.remove(extract, ["/object/attributes/zone"])
	not answer.allow
	"source.production_zone" in answer.deny
}

test_a_security_officer_confirms if features.authorize.allow with input as confirm

test_the_loader_does_not_confirm if {
	answer := features.authorize with input as changed(confirm, {"subject": {"person": "oleg"}})
	not answer.allow
	answer.deny == {"four_eyes.own_extract"}
}

test_an_engineer_does_not_confirm if {
	answer := features.authorize with input as changed(confirm, {"subject": {"roles": ["data_engineer"]}})
	not answer.allow
	answer.deny == {"role.not_granted"}
}

test_everybody_on_the_staff_reads_the_catalogue if {
	question := changed(confirm, {"action": "features.source.read", "subject": {"roles": ["auditor"]}})
	features.authorize.allow with input as question
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if source.deny == set() with input as {"action": "features.source.other"}

test_every_zone_of_copies_is_loaded if {
	every zone in ["etl_copy", "test", "manual", "external"] {
		features.authorize.allow with input as changed(extract, {"object": {"attributes": {"zone": zone}}})
	}
}
