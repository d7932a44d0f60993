"""The reports that are shipped, made of half a year's facts: what they find, and that they say all of it."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import jsonschema
import pytest
from audit_story import half_year

from letopis.audit.report import document, typeset
from letopis.audit.report.definition import BadDefinition, parse
from letopis.audit.report.schema import schema
from letopis.audit.report.shelf import Shelf

SHELF = Shelf.of()
STORY = half_year()
FACTS = STORY.json()
DECISION = FACTS["decisions"][1]["event_id"]


def built(type, facts=None, **asked):
    definition = SHELF.definition(type)
    ledgers = None if definition.all_heads else {*definition.ledgers, *definition.excerpts}
    asked |= {"decision_id": DECISION} if "decision_id" in definition.scope else {}
    return document.build(definition, FACTS if facts is None else facts, STORY.heads(ledgers), asked)


def report(type, facts=None, **asked):
    return json.loads(built(type, facts, **asked))


def gaps(told):
    return {one["id"]: [row["name"] for row in one["named"]] for one in told["checks"] if one["state"] == "gap"}


def rows(told, section):
    [found] = [one for one in told["sections"] if one["id"] == section]
    return [dict(zip([column["id"] for column in found["columns"]], row, strict=True)) for row in found["rows"]]


def without(fact_type, **like):
    def kept(record):
        data = json.loads(record["data"])
        return record["type"] != fact_type or any(data[name] != value for name, value in like.items())

    return {ledger: [one for one in records if kept(one)] for ledger, records in FACTS.items()}


ALL = pytest.mark.parametrize("type", sorted(SHELF.definitions))


@ALL
class TestEveryReport:
    def test_keeps_to_its_schema(self, type):
        rules = schema(SHELF.definition(type))
        jsonschema.Draft202012Validator.check_schema(rules)
        checking = jsonschema.Draft202012Validator(rules)
        checking.validate(report(type))
        checking.validate(report(type, {}))
        assert list(checking.iter_errors(report(type) | {"more": 1}))

    def test_has_the_same_bytes_whatever_else_stands_in_the_ledgers(self, type):
        other = dict(FACTS["registry"][0], type="registry.something.else")
        places = range(len(FACTS["registry"]) + 1)
        mixed = [*FACTS["registry"]]
        for at in sorted(Random(7).sample(places, 5), reverse=True):
            mixed.insert(at, other)
        assert built(type, {**dict(reversed(FACTS.items())), "registry": mixed}) == built(type)

    def test_shows_every_check_and_gives_a_reason_where_it_does_not_apply(self, type):
        for facts in (FACTS, {}):
            told = report(type, facts)
            assert [one["id"] for one in told["checks"]] == [one.id for one in SHELF.definition(type).checks]
            for one in told["checks"]:
                assert one["state"] != "not_applicable" or (one["why"]["en"] and one["why"]["ru"])
            assert sum(told["summary"]["checks"].values()) == len(told["checks"])

    def test_says_of_every_source_when_it_was_read_and_whether_its_text_was(self, type):
        for one in report(type)["sources"]:
            assert one["read"] == "2026-11-21"
            assert isinstance(one["checked"], bool)

    def test_as_csv_has_its_main_rows(self, type):
        made = built(type)
        told = list(csv.reader(io.StringIO(document.table(made).decode())))
        assert len(told) == 1 + json.loads(made)["rows"]

    def test_pages_have_the_same_bytes_twice_and_carry_their_fonts(self, type):
        made = built(type)
        for language, one in typeset.pdfs(made).items():
            assert one == typeset.pages(made, language)
            # Both fonts stand in the file as subsets; nothing is left to the reader's machine.
            assert b"LibertinusSerif" in one
            assert one.count(b"/FontFile") >= 2


class TestInventory:
    def test_finds_what_is_missing(self):
        assert gaps(report("model_inventory")) == {"purpose": ["idea"], "versioned": ["idea"]}

    @pytest.mark.parametrize(
        ("left_out", "like", "check", "named"),
        [
            ("registry.model.use_case_assigned", {"model_id": "credit"}, "purpose", ["credit", "idea"]),
            ("registry.use_case.approved", {"use_case_id": "fraud"}, "purpose", ["fraud", "idea"]),
            ("registry.evidence.added", {"version_id": "credit.3"}, "validated", ["credit"]),
            ("registry.promotion.approved", {"version_id": "fraud.1"}, "approved", ["fraud"]),
            ("registry.version.registered", {"version_id": "credit.3"}, "known_version", ["credit"]),
        ],
    )
    def test_without_a_fact_shows_the_gap(self, left_out, like, check, named):
        assert gaps(report("model_inventory", without(left_out, **like)))[check] == named

    def test_tells_who_is_answered_by_which_version(self):
        [deployment] = rows(report("model_inventory"), "deployments")
        assert deployment["version_id"] == "credit.2"
        assert deployment["consumers"] == ["bank-app", "branch"]


class TestChangeLog:
    def test_tells_lead_time_failures_and_incidents_by_model(self):
        told = {one["model_id"]: one for one in rows(report("change_log"), "models")}
        assert (told["credit"]["releases"], told["credit"]["rollbacks"], told["credit"]["incidents"]) == (3, 1, 1)
        assert told["credit"]["failure_rate"] == told["credit"]["incident_rate"] == 0.3333
        assert told["fraud"]["lead_days"] > told["credit"]["lead_days"]

    def test_tells_the_slowest_gate_the_baseline_and_the_trend(self):
        told = report("change_log")
        numbers = {one["id"]: one["value"] for one in told["summary"]["numbers"]}
        assert numbers["slowest_gate"] == "waiting"
        by_quarter = {one["quarter"]: one["lead_hours"] for one in rows(told, "quarters")}
        assert numbers["baseline"] == by_quarter["2026-Q1"] > by_quarter["2026-Q2"]

    def test_of_a_period_holds_what_happened_in_it(self):
        told = report("change_log", first_day="2026-04-01", last_day="2026-04-30")
        assert [one["what"] for one in rows(told, "changes")] == ["entered", "replaced", "rolled back"]
        assert told["scope"] == {"first_day": "2026-04-01", "last_day": "2026-04-30"}

    def test_promotion_over_five_working_days_is_a_gap(self):
        story = half_year()
        from audit_story import released

        released(story, "fraud", 2, 3400, waits=24 * 9)
        assert gaps(report("change_log", story.json())) == {"within_target": ["fraud.2"]}


class TestAccessRegister:
    def test_names_reads_under_grants_that_had_run_out_and_assets_of_who_left(self):
        found = gaps(report("access_register"))
        assert found == {"live_grant": ["r2"], "no_orphans": ["model fraud", "source cards"]}

    def test_counts_refusals_by_rule(self):
        told = {one["rule"]: one["denials"] for one in rows(report("access_register"), "rules")}
        assert told == {"personal.no_grant": 3, "four_eyes.self_approval": 1}


class TestDecisionFile:
    def test_tells_version_approval_permission_and_data_and_leaves_the_inputs_sealed(self):
        told = report("decision_file")
        assert gaps(told) == {}
        [decision] = rows(told, "decision")
        assert (decision["version_id"], decision["reasons"]) == ("credit.1", ["income"])
        assert [one["person"] for one in rows(told, "approvals")] == ["boris"]
        assert [one["name"] for one in rows(told, "data")] == ["Апрель"]
        assert "100" not in {str(value) for value in decision.values()}

    def test_of_a_version_approved_by_nobody_is_a_gap(self):
        facts = without("registry.promotion.approved", version_id="credit.1")
        assert "approved_before" in gaps(report("decision_file", facts))


class TestPersonalData:
    def test_has_an_act_for_every_erasure_and_wants_its_certificate(self):
        told = report("personal_data")
        [act] = rows(told, "erasures")
        assert (act["subject"], act["state"], act["requested_by"], act["approved_by"]) == (
            "account_id:17", "destroyed", "irina", "pavel",
        )  # fmt: skip
        assert gaps(told) == {"certified": ["account_id:17"]}
        assert [one["what"] for one in rows(told, "journal")][-2:] == ["keys destroyed", "hold placed"]


class TestAttestation:
    def test_tells_every_ledger_and_who_closed_what(self):
        told = report("attestation")
        assert len(rows(told, "ledgers")) == len(FACTS)
        [incident] = rows(told, "incidents")
        assert (incident["state"], incident["closed_by"]) == ("closed", "irina")

    def test_of_an_open_incident_is_a_gap(self):
        told = report("attestation", without("audit.incident.closed"))
        assert gaps(told) == {"standing": ["decisions"], "explained": ["decisions"]}


OWN = """
type = "monitors"
schema_version = 1
title = { en = "Monitors", ru = "Мониторы" }
lead = { en = "", ru = "" }
ledgers = ["monitoring"]
redaction = { en = "none", ru = "нет" }
[table.alert]
key = "alert_id"
[[table.alert.from]]
fact = "monitoring.alert.opened"
put = { alert_id = "alert_id", place = "fact.place" }
[[section]]
id = "alerts"
title = { en = "Alerts", ru = "Тревоги" }
table = "alert"
empty = { en = "none", ru = "нет" }
columns = [{ id = "alert_id", en = "Alert", ru = "Тревога" }]
"""


class TestDefinition:
    def test_of_a_bank_is_a_file_more(self, tmp_path):
        (tmp_path / "monitors.toml").write_text(OWN, "utf-8")
        own = Shelf.of(tmp_path).definition("monitors")
        told = json.loads(document.build(own, FACTS, STORY.heads({"monitoring"})))
        assert rows(told, "alerts") == [{"alert_id": "a1"}]
        jsonschema.validate(told, schema(own))

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ('"alert_id", place', '"exec(1)", place', "not part of the language"),
            ('table = "alert"\nempty', 'table = "none"\nempty', "names 'none'"),
            ('ru = "Тревоги"', 'de = "x"', "no text in ru"),
            ("[[section]]", "[[sektion]]", "section is missing"),
            ("type =", "type", "Expected"),
        ],
    )
    def test_that_is_wrong_says_where(self, tmp_path, old, new, why):
        text = OWN.replace(old, new)
        with pytest.raises(BadDefinition, match=why):
            parse(text.encode())
        (tmp_path / "monitors.toml").write_text(text, "utf-8")
        with pytest.raises(ValueError, match=r"monitors\.toml"):
            Shelf.of(tmp_path)

    def test_of_a_type_that_is_there_already_is_refused(self, tmp_path):
        (tmp_path / "again.toml").write_bytes(SHELF.sources["change_log"])
        with pytest.raises(ValueError, match="another file defines"):
            Shelf.of(tmp_path)

    def test_reads_facts_that_exist(self):
        from audit_story import CATALOGUES

        known = {name for catalogue in CATALOGUES.values() for name in catalogue.types}
        for one in SHELF.definitions.values():
            assert one.types <= known


class TestCode:
    def test_is_named_by_the_report(self):
        told = report("change_log")["report"]
        definition = SHELF.definition("change_log")
        assert told["definition_sha256"] == sha256(SHELF.sources["change_log"]).hexdigest()
        assert told["generator_sha256"] == document.generator(definition)

    def test_needs_the_standard_library_alone(self):
        folder = Path(document.__file__).parent
        code = "import sys; sys.path.insert(0, sys.argv[1]); import report.document; print('ok')"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(folder.parent)], capture_output=True, text=True, check=False
        )
        assert done.stdout == "ok\n", done.stderr
