package letopis.monitoring.monitor_test

import data.letopis.monitoring
import data.letopis.monitoring.monitor
import rego.v1

thresholds := {
	"delta0": 0.02,
	"major": 0.1,
	"critical": 0.25,
	"min_rows": 200,
	"false_alarms_per_year": 1,
	"gini_floor": -1,
	"gini_fall": 0.1,
	"coverage": 0.8,
}

question := {
	"action": "monitoring.monitor.define",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": []},
	"purpose": "credit_scoring",
	"object": {"type": "monitor", "id": "credit-default.1", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"thresholds": thresholds},
}

with_changes(changed) := object.union(question, {"facts": {"thresholds": changed}})

test_the_usual_thresholds_are_allowed if monitoring.authorize.allow with input as question

test_every_bound_holds if {
	every loose in [{"major": 0.3}, {"critical": 0.6}, {"coverage": 0.1}, {"false_alarms_per_year": 12}, {"gini_fall": 0.5}] {
		answer := monitoring.authorize with input as with_changes(loose)
		answer.deny == {"thresholds.too_loose"}
	}
}

test_a_floor_alone_watches_quality if {
	answer := monitoring.authorize with input as with_changes({"gini_fall": 2, "gini_floor": 0.5})
	answer.allow
}

test_bounds_hold_for_changes_too if {
	changed := object.union(question, {
		"action": "monitoring.monitor.change",
		"subject": {"roles": ["model_owner"]},
		"facts": {"thresholds": {"major": 0.3}},
	})
	answer := monitoring.authorize with input as changed
	answer.deny == {"thresholds.too_loose"}
}

test_a_missing_threshold_is_denied if {
	answer := monitoring.authorize with input as json.remove(question, ["/facts/thresholds/coverage"])
	"thresholds.too_loose" in answer.deny
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if monitor.deny == set() with input as {"action": "monitoring.monitor.other"}

test_a_threshold_may_stand_at_its_bound if {
	bounds := data.bundle.settings.monitoring.monitor
	monitoring.authorize.allow with input as with_changes({
		"major": bounds.largest_major,
		"critical": bounds.largest_critical,
		"coverage": bounds.smallest_coverage,
		"false_alarms_per_year": bounds.most_false_alarms_per_year,
		"gini_fall": bounds.largest_gini_fall,
	})
	monitoring.authorize.allow with input as with_changes({"gini_fall": 2, "gini_floor": bounds.smallest_gini_floor})
}
