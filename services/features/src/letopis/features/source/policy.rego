# How sources are registered, loaded and classified.
package letopis.features.source

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "source.production_zone" if {
	input.action in {"features.source.extract", "features.source.upload"}
	not readable
}

readable if input.object.attributes.zone in {"etl_copy", "test", "manual", "external"}

deny contains "four_eyes.own_extract" if {
	input.action == "features.source.confirm"
	not independent
}

independent if input.subject.person != input.facts.extracted_by
