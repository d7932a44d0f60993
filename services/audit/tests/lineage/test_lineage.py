"""Lineage: what a real OpenLineage client takes, and what built a thing, in one answer."""

import json

import pytest
from audit_story import half_year
from openlineage.client import event_v2
from openlineage.client.serde import Serde

from letopis.audit.lineage.graph import Graph
from letopis.audit.lineage.openlineage import events
from letopis.features import contract as features
from letopis.features.source.events import SourceField
from letopis.inference import contract as inference

NAMESPACE = "letopis://letopis.test/log"


def story():
    """Half a year, with the script that loads a mart, a view over it, the set that was built of both, and a job."""
    told = half_year()
    told.tell("features", features.ExtractRecorded(
        source_id="cards", extract_id="x1", snapshot_id="a" * 64, files=(), rows=30_000,
        columns=(SourceField(name="limit", type="DOUBLE"),),
        job="load_cards.sql@4f2c", reason="", recorded_by="olga"), 9)  # fmt: skip
    told.tell("features", features.ViewRegistered(
        view_id="limits.1", name="limits", number=1, entity="account", key="account_id", event_time="t",
        known_time=None, ttl_seconds=None, sql="SELECT account_id, limit FROM cards", sql_hash="b" * 64,
        reads={"cards": ("limit",)}, features=(features.ViewFeature(
            name="limit", type="DOUBLE", cls="internal", kind="", lineage=("cards.limit",)),),
        owner="anna", description=""), 10)  # fmt: skip
    told.tell("features", features.DatasetBuilt(
        dataset_id="may", name="May", purpose="development", bundle_id="b", recipe={}, reads={"cards": ("limit",)},
        files=(), rows=10, columns=(features.DatasetColumn(
            name="limit", type="DOUBLE", role="feature", cls="internal", kind="", treatment="", view_id="limits.1",
            feature="limit"),), leak=(), read_id="r", built_by="anna"), 30)  # fmt: skip
    about = {"job_id": "j1", "application": "credit", "api_version": "v1"}
    told.tell("inference", inference.JobStarted(
        **about, deployment_id="credit.v1", model_id="credit", version_id="credit.1", version_digest="1" * 64,
        source_sha256="c" * 64, rows=5, chunk_rows=5, as_of=None, decisions_head=0, consumer="bank-app",
        at=told.records["inference"][0].recorded_at), 120)  # fmt: skip
    told.tell("inference", inference.JobCompleted(
        **about, model_id="credit", version_id="credit.1", rows=5, scored=5, refused=0, output_sha256="d" * 64,
        at=told.records["inference"][0].recorded_at), 121)  # fmt: skip
    return told


def told_of(story):
    return [
        (f"{one.ledger}/{one.position}", event)
        for ledger in ("features", "inference", "registry")
        for one in story.records[ledger]
        for event in events(one, NAMESPACE, "urn:letopis:audit")
    ]


class TestEvents:
    def test_are_taken_by_the_client_model_of_openlineage(self):
        """A real OpenLineage client builds its own objects of ours, and writes the same document."""
        kinds = set()
        for _, event in told_of(story()):
            model = _model(event)
            again = json.loads(Serde.to_json(model))
            assert _bare(again) == _bare(event)
            kinds.add((type(model).__name__, event.get("eventType")))
        assert kinds == {("RunEvent", "START"), ("RunEvent", "COMPLETE"), ("JobEvent", None)}

    def test_that_are_wrong_are_not(self):
        [(_, event), *_] = told_of(story())
        with pytest.raises(ValueError, match=r"UUID|uuid|hexadecimal"):
            _model(event | {"run": {"runId": "17"}})
        with pytest.raises(ValueError, match=r"time|date|yest"):
            _model(event | {"eventTime": "yesterday"})

    def test_of_a_job_are_one_run(self):
        runs = [event for _, event in told_of(story()) if event["job"]["name"] == "score/credit"]
        assert [one["eventType"] for one in runs] == ["START", "COMPLETE"]
        assert len({one["run"]["runId"] for one in runs}) == 1


class TestGraph:
    def test_what_built_this_is_answered_back_to_the_script(self):
        """Back to the script that loaded the mart, in one answer."""
        graph = Graph.of(told_of(story()))
        behind = [step.job for step in graph.upstream("dataset/may")]
        assert behind == ["dataset/May", "extract/load_cards.sql@4f2c", "view/limits.1"]
        jobs = [step.job for step in graph.upstream(f"file/{'d' * 64}")]
        assert jobs[:3] == ["score/credit", "train/credit", "dataset/Апрель"]
        assert graph.upstream("dataset/may")[2].sql.startswith("SELECT")
        assert "train/credit" in [step.job for step in graph.downstream("source/cards")]

    def test_names_what_nobody_uses(self):
        assert Graph.of(told_of(story())).unused() == ["dataset/may"]

    def test_ends_where_things_are_made_of_each_other(self):
        event = {"eventTime": "", "job": {"name": "loop", "facets": {}}}
        event |= {"inputs": [{"name": "a"}], "outputs": [{"name": "a"}]}
        assert len(Graph.of([("x/1", event)]).upstream("a")) == 1


class TestDoors:
    async def test_answer_in_one_call_and_page_by_page(self, chronicle):
        told = story()
        for ledger in ("features", "inference", "registry"):
            await chronicle.seal(ledger, told.records[ledger])
        answer = (await chronicle.get("/v1/lineage/things/dataset/may")).json()
        assert [one["job"] for one in answer["behind"]] == [
            "dataset/May", "extract/load_cards.sql@4f2c", "view/limits.1",
        ]  # fmt: skip
        assert answer["behind"][0]["place"] == "features/7"
        assert (await chronicle.get("/v1/lineage/things/dataset/none")).status_code == 404
        assert [one["name"] for one in (await chronicle.get("/v1/lineage/unused")).json()] == ["dataset/may"]
        lines, after, head = [], 0, len(told.records["features"])
        while after < head:
            page = await chronicle.get("/v1/lineage/events", ledger="features", after=after, limit=2)
            lines += [json.loads(line) for line in page.text.splitlines()]
            after = int(page.headers["letopis-position"].partition("/")[2])
        assert lines == [event for place, event in told_of(told) if place.startswith("features/")]
        assert (await chronicle.get("/v1/lineage/unused", by="olga")).status_code == 403


def _model(event):
    """The event as objects of the client, which check types, times and identifiers as they are made."""

    def parts(kind, given):
        return [kind(namespace=one["namespace"], name=one["name"], facets=one["facets"]) for one in given]

    job = event_v2.Job(**event["job"])
    ends = {
        "job": job,
        "inputs": parts(event_v2.InputDataset, event["inputs"]),
        "outputs": [
            event_v2.OutputDataset(namespace=one["namespace"], name=one["name"], facets=one["facets"])
            for one in event["outputs"]
        ],
        "producer": event["producer"],
        "eventTime": event["eventTime"],
    }
    if "run" not in event:
        return event_v2.JobEvent(**ends)
    state = event_v2.RunState[event["eventType"]]
    return event_v2.RunEvent(**ends, eventType=state, run=event_v2.Run(**event["run"]))


def _bare(event):
    """Without empty facets and the address of the schema, which the client writes its own way."""
    told = {name: value for name, value in event.items() if name != "schemaURL"}

    def cleaned(value):
        if isinstance(value, dict):
            return {
                name: cleaned(one)
                for name, one in value.items()
                if one not in ({}, [], None) and name != "outputFacets"
            }
        return [cleaned(one) for one in value] if isinstance(value, list) else value

    return cleaned(told)
