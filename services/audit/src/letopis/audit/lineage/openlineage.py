"""Recorded facts as OpenLineage events (spec 2-0-2), pure: extracts, views, training sets, training, batch scoring."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from letopis.common.envelope import Record, time_text

RUN = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
JOB = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"
FACETS = "https://openlineage.io/spec/facets"
Event = dict[str, Any]


def events(record: Record, namespace: str, producer: str) -> list[Event]:
    """The events that a fact tells; none for a fact that builds nothing."""
    make = MADE.get(record.type)
    if make is None:
        return []
    told = _Told(record, namespace, producer)
    return [make(told, json.loads(record.data))]


class _Told:
    """Builds the parts of an event, each with the address of its producer, as the spec asks."""

    def __init__(self, record: Record, namespace: str, producer: str) -> None:
        self.record, self.namespace, self.producer = record, namespace, producer

    def facet(self, kind: str, release: str, /, **fields: Any) -> dict[str, Any]:
        schema = f"{FACETS}/{release}/{kind}.json#/$defs/{kind}"
        return {"_producer": self.producer, "_schemaURL": schema, **fields}

    def dataset(self, name: str, **facets: Any) -> dict[str, Any]:
        return {"namespace": self.namespace, "name": name, "facets": facets}

    def job(self, name: str, **facets: Any) -> dict[str, Any]:
        return {"namespace": self.namespace, "name": name, "facets": facets}

    def schema(self, fields: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        told = [{"name": one["name"], "type": one["type"]} for one in fields]
        return self.facet("SchemaDatasetFacet", "1-2-0", fields=told)

    def version(self, version: str) -> dict[str, Any]:
        return self.facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=version)

    def run(self, state: str, run: str, job: Event, inputs: Sequence[Event], outputs: Sequence[Event]) -> Event:
        return {
            "eventType": state,
            "eventTime": time_text(self.record.recorded_at),
            "run": {"runId": run, "facets": {}},
            "job": job,
            "inputs": list(inputs),
            "outputs": list(outputs),
            "producer": self.producer,
            "schemaURL": RUN,
        }


def _extract(told: _Told, fact: Event) -> Event:
    source = told.dataset(
        f"source/{fact['source_id']}", schema=told.schema(fact["columns"]), version=told.version(fact["snapshot_id"])
    )
    return told.run("COMPLETE", str(told.record.event_id), told.job(f"extract/{fact['job']}"), [], [source])


def _view(told: _Told, fact: Event) -> Event:
    """A definition without a run."""
    sql = told.facet("SQLJobFacet", "1-1-0", query=fact["sql"])
    return {
        "eventTime": time_text(told.record.recorded_at),
        "job": told.job(f"view/{fact['view_id']}", sql=sql),
        "inputs": [told.dataset(f"source/{one}") for one in sorted(fact["reads"])],
        "outputs": [told.dataset(f"view/{fact['view_id']}", schema=told.schema(fact["features"]))],
        "producer": told.producer,
        "schemaURL": JOB,
    }


def _dataset(told: _Told, fact: Event) -> Event:
    views = sorted({one["view_id"] for one in fact["columns"] if one["view_id"]})
    inputs = [f"source/{one}" for one in sorted(fact["reads"])] + [f"view/{one}" for one in views]
    made = told.dataset(f"dataset/{fact['dataset_id']}", schema=told.schema(fact["columns"]))
    made["outputFacets"] = {
        "outputStatistics": told.facet("OutputStatisticsOutputDatasetFacet", "1-0-2", rowCount=fact["rows"])
    }
    job = told.job(f"dataset/{fact['name']}")
    return told.run("COMPLETE", str(told.record.event_id), job, [told.dataset(one) for one in inputs], [made])


def _trained(told: _Told, fact: Event) -> Event:
    manifest = fact["manifest"]
    code = manifest.get("code") or {}
    facets = {}
    if code.get("commit"):
        # A manifest must name the commit; where its repository is not told, the commit alone is a name.
        where = code.get("repository") or f"urn:git:{code['commit']}"
        facets["sourceCodeLocation"] = told.facet(
            "SourceCodeLocationJobFacet", "1-0-1", type="git", url=where, version=code["commit"]
        )
    inputs = [told.dataset(f"dataset/{one}") for one in manifest.get("training_data") or ()]
    made = told.dataset(f"version/{fact['version_id']}", version=told.version(fact["digest"]))
    return told.run(
        "COMPLETE", str(told.record.event_id), told.job(f"train/{fact['model_id']}", **facets), inputs, [made]
    )


def _scoring(told: _Told, fact: Event) -> Event:
    inputs = [told.dataset(f"file/{fact['source_sha256']}"), told.dataset(f"version/{fact['version_id']}")]
    return told.run("START", _job_run(fact), told.job(f"score/{fact['application']}"), inputs, [])


def _scored(told: _Told, fact: Event) -> Event:
    inputs = [told.dataset(f"version/{fact['version_id']}")]
    outputs = [told.dataset(f"file/{fact['output_sha256']}")]
    return told.run("COMPLETE", _job_run(fact), told.job(f"score/{fact['application']}"), inputs, outputs)


def _not_scored(told: _Told, fact: Event) -> Event:
    return told.run("FAIL", _job_run(fact), told.job(f"score/{fact['application']}"), [], [])


def _job_run(fact: Event) -> str:
    return str(uuid5(NAMESPACE_OID, f"letopis-job\n{fact['job_id']}"))


MADE: Mapping[str, Callable[[_Told, Event], Event]] = {
    "features.source.extract_recorded": _extract,
    "features.view.registered": _view,
    "features.dataset.built": _dataset,
    "registry.version.registered": _trained,
    "inference.job.started": _scoring,
    "inference.job.completed": _scored,
    "inference.job.failed": _not_scored,
}
LEDGERS = tuple(sorted({name.partition(".")[0] for name in MADE}))
