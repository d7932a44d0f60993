package letopis.features.query_test

import data.letopis.features
import data.letopis.features.query

import future.keywords.not
import rego.v1

column(name, cls) := {
	"source": "panel",
	"column": name,
	"class": cls,
	"kind": "",
	"zone": "etl_copy",
	"unmask": false,
}

grant := {
	"grant_id": "g-1",
	"grantee": "anna",
	"purpose": "credit",
	"not_after": "2026-12-31T00:00:00.000000Z",
	"revoked": false,
	"unmask": false,
	"columns": ["panel.bill", "panel.email", "panel.born"],
}

run := {
	"action": "features.query.run",
	"subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": ["risk"]},
	"purpose": "credit",
	"object": {
		"type": "query", "id": "q-1", "tenant": "",
		"attributes": {
			"purpose": "credit", "zones": ["etl_copy"], "columns": [column("bill", "confidential")],
			"scheduled": false,
		},
	},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"grants": [grant], "holder": "anna", "scans": [{"source": "panel", "rows": 120}]},
}

changed(part) := object.union(run, part)

reading(columns) := changed({"object": {"attributes": {"columns": columns}}})

under(part) := changed({"facts": {"grants": [object.union(grant, part)]}})

denied(question, rule) if {
	answer := features.authorize with input as question
	not answer.allow
	answer.deny == {rule}
}

test_a_granted_column_is_read_in_clear if {
	answer := features.authorize with input as run
	answer.allow
	answer.obligations == {{"type": "column", "source": "panel", "column": "bill", "treatment": "clear"}}
}

test_a_grant_to_a_group_counts if features.authorize.allow with input as under({"grantee": "group:risk"})

test_a_grant_to_a_service_counts if {
	question := object.union(under({"grantee": "service:monitoring"}), {
		"action": "features.query.download",
		"subject": {"person": "", "login": "service:monitoring", "roles": ["service"]},
		"facts": {"holder": "service:monitoring"},
	})
	features.authorize.allow with input as question
}

test_an_open_column_needs_no_grant if {
	question := object.union(reading([column("month", "internal")]), {"facts": {"grants": []}})
	features.authorize.allow with input as question
}

test_a_count_of_rows_reads_no_column if features.authorize.allow with input as reading([])

test_without_a_grant_nothing_confidential if denied(json.patch(run, [{"op": "replace", "path": "/facts/grants", "value": []}]), "grant.missing")

test_an_expired_grant_is_none if denied(under({"not_after": "2026-11-21T06:55:08.123456Z"}), "grant.missing")

test_a_revoked_grant_is_none if denied(under({"revoked": true}), "grant.missing")

test_a_grant_for_another_purpose_is_none if denied(under({"purpose": "marketing"}), "grant.missing")

test_a_grant_to_another_is_none if denied(under({"grantee": "boris"}), "grant.missing")

test_a_grant_of_another_column_is_none if denied(under({"columns": ["panel.limit"]}), "grant.missing")

test_a_personal_column_is_shown_as_tokens if {
	answer := features.authorize with input as reading([column("email", "personal")])
	answer.allow
	answer.obligations == {{"type": "column", "source": "panel", "column": "email", "treatment": "token"}}
}

test_a_birth_date_is_shown_as_a_year if {
	born := object.union(column("born", "personal"), {"kind": "birth_date"})
	answer := features.authorize with input as reading([born])
	answer.allow
	answer.obligations == {{"type": "column", "source": "panel", "column": "born", "treatment": "year"}}
}

test_a_personal_column_needs_a_grant if {
	question := reading([column("phone", "personal")])
	denied(question, "personal.no_grant")
}

lifted := object.union(column("email", "personal"), {"unmask": true})

test_a_mask_is_lifted_by_a_grant_that_says_so if {
	question := object.union(reading([lifted]), {"facts": {"grants": [object.union(grant, {"unmask": true})]}})
	answer := features.authorize with input as question
	answer.allow
	answer.obligations == {{"type": "column", "source": "panel", "column": "email", "treatment": "clear"}}
}

test_a_mask_is_not_lifted_otherwise if denied(reading([lifted]), "personal.unmask_not_granted")

test_clear_personal_data_is_never_stored if {
	question := object.union(reading([lifted]), {
		"action": "features.query.dataset",
		"facts": {"grants": [object.union(grant, {"unmask": true})]},
	})
	denied(question, "personal.unmask_not_granted")
}

test_an_unclassified_column_is_read_by_nobody if {
	question := object.union(
		reading([column("mystery", "restricted")]),
		{"facts": {"grants": [object.union(grant, {"columns": ["panel.mystery"]})]}},
	)
	denied(question, "column.unclassified")
}

test_a_column_without_a_class_is_read_by_nobody if {
	bare := json.remove(column("bill", "internal"), ["/class"])
	answer := features.authorize with input as reading([bare])
	not answer.allow
	"column.unclassified" in answer.deny
}

test_production_is_never_read if denied(
	changed({"object": {"attributes": {"zones": ["etl_copy", "production"]}}}),
	"source.production_zone",
)

download := object.union(run, {"action": "features.query.download"})

test_a_training_set_is_read_for_its_purpose if features.authorize.allow with input as download

test_a_training_set_is_not_read_for_another if denied(
	object.union(download, {"object": {"attributes": {"purpose": "marketing"}}}),
	"dataset.other_purpose",
)

test_without_a_purpose_nothing_is_read if {
	answer := features.authorize with input as json.remove(run, ["/purpose"])
	not answer.allow
	"input.incomplete" in answer.deny
}

test_a_consumer_runs_no_queries if denied(changed({"subject": {"roles": ["consumer"]}}), "role.not_granted")

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if query.deny == set() with input as {"action": "features.query.other"}

test_every_way_of_reading_needs_the_grant if {
	ungranted := json.patch(run, [{"op": "replace", "path": "/facts/grants", "value": []}])
	every action in ["run", "dataset", "batch", "download"] {
		answer := features.authorize with input as object.union(ungranted, {"action": sprintf("features.query.%s", [action])})
		answer.deny == {"grant.missing"}
	}
}

test_every_zone_of_copies_is_read if {
	every zone in ["etl_copy", "test", "manual", "external"] {
		features.authorize.allow with input as changed({"object": {"attributes": {"zones": [zone]}}})
	}
}

test_every_treatment_by_class if {
	lifted_by := object.union(grant, {"unmask": true, "columns": ["panel.a"]})
	every cls, treatment in {"public": "clear", "internal": "clear", "confidential": "clear", "personal": "token", "restricted": "deny", "secret": "deny"} {
		question := object.union(reading([column("a", cls)]), {"facts": {"grants": [lifted_by]}})
		obligations := query.obligations with input as question
		obligations == {{"type": "column", "source": "panel", "column": "a", "treatment": treatment}}
	}
}

test_nothing_restricted_is_clear_because_somebody_asked if {
	wanted := object.union(column("a", "restricted"), {"unmask": true})
	obligations := query.obligations with input as reading([wanted])
	obligations == {{"type": "column", "source": "panel", "column": "a", "treatment": "deny"}}
}

test_a_mask_is_lifted_of_the_named_columns_only if {
	other := object.union(grant, {"unmask": true, "columns": ["panel.bill"]})
	question := object.union(reading([lifted]), {"facts": {"grants": [grant, other]}})
	denied(question, "personal.unmask_not_granted")
}

test_nothing_is_shown_of_what_is_not_read if {
	obligations := query.obligations with input as changed({"action": "features.query.list"})
	obligations == set()
}

test_an_end_that_is_no_time_is_over if {
	answer := features.authorize with input as under({"not_after": {}})
	answer.deny == {"grant.missing", "input.incomplete"}
}

scanning(scheduled, scans) := changed({"object": {"attributes": {"scheduled": scheduled}}, "facts": {"scans": scans}})

dwh(rows) := [{"source": "panel", "rows": 120}, {"source": "test_dwh", "rows": rows}]

test_a_timetable_reads_no_more_of_a_source_than_it_bears if {
	features.authorize.allow with input as scanning(true, dwh(10000))
	answer := features.authorize with input as scanning(true, dwh(10001))
	answer.deny == {"cost.scheduled"}
	answer.reasons["cost.scheduled"].message == concat("", [
		"a timetable reads less of this source than people who look at it: ",
		"test_dwh holds 10001 rows, a timetable may read 10000",
	])
}

test_people_who_look_read_it_all if features.authorize.allow with input as scanning(false, dwh(100000000))

test_a_source_without_a_limit_of_its_own_has_the_common_one if {
	features.authorize.allow with input as scanning(true, [{"source": "panel", "rows": 100000000}])
	denied(scanning(true, [{"source": "panel", "rows": 100000001}]), "cost.scheduled")
}

test_untold_costs_are_too_much if {
	answer := features.authorize with input as json.remove(run, ["/object/attributes/scheduled", "/facts/scans"])
	answer.deny == {"cost.scheduled", "input.incomplete"}
	odd := features.authorize with input as scanning(true, [{"source": "panel", "rows": null}])
	odd.deny == {"cost.scheduled", "input.incomplete"}
}

test_every_source_that_bears_less_is_named_and_no_other if {
	scans := array.concat(dwh(10000), [{"source": "bills", "rows": 100000001}, {"source": "cards", "rows": 100000002}])
	answer := features.authorize with input as scanning(true, scans)
	answer.reasons["cost.scheduled"].message == concat("", [
		"a timetable reads less of this source than people who look at it: ",
		"bills holds 100000001 rows, a timetable may read 100000000; ",
		"cards holds 100000002 rows, a timetable may read 100000000",
	])
}

# Rows of one's own groups.
rows_of(question) := {one |
	some one in features.authorize.obligations with input as question
		with data.bundle.settings.features.query.rows_of_groups as {"panel": {"column": "branch", "prefix": "branch:"}}
	one.type == "rows"
}

in_groups(groups) := changed({"subject": {"groups": groups}})

only(values) := {{"type": "rows", "source": "panel", "where": {"op": "in", "column": "branch", "values": values}}}

test_rows_are_those_of_the_persons_groups if {
	rows_of(in_groups(["branch:north", "risk", "branch:east"])) == only(["east", "north"])
	rows_of(in_groups(["risk"])) == only([])
}

test_a_group_that_is_no_text_opens_no_rows if rows_of(in_groups([7, "branch:north"])) == only(["north"])

test_rows_of_other_sources_are_all_seen if {
	answer := features.authorize with input as run
	count({one | some one in answer.obligations; one.type == "rows"}) == 0
}

test_a_count_of_rows_counts_ones_own if {
	rows_of(object.union(reading([]), {"subject": {"groups": ["branch:north"]}})) == only(["north"])
	rows_of(changed({"subject": {"groups": ["branch:north"]}, "facts": {"scans": []}})) == only(["north"])
}

test_what_is_no_read_has_no_rows if {
	rows_of(changed({"action": "features.query.list"})) == set()
}
