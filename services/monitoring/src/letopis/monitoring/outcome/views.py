"""Decisions and their outcomes, each under who and when, joined when asked: late labels find their decision."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Double,
    Integer,
    MetaData,
    Subquery,
    Table,
    Text,
    and_,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.common.serialization import Catalogue
from letopis.inference.contract import DecisionMade
from letopis.monitoring.monitor.events import MonitorDefined
from letopis.monitoring.outcome.events import FACTS, OutcomesRecorded

if TYPE_CHECKING:
    from letopis.monitoring.outcome.quality import Cohort


class Labelled(View):
    """Two tables that fill independently, so that it does not matter which of score and label comes first."""

    name = "labelled"
    version = 1
    metadata = MetaData()
    scored = Table(
        "scored",
        metadata,
        Column("version_id", Text, primary_key=True),
        Column("entity", Text, primary_key=True),
        Column("entity_id", Text, primary_key=True),
        Column("as_of", DateTime(timezone=True), primary_key=True),
        Column("score", Double, nullable=False),
    )
    outcome = Table(
        "outcome",
        metadata,
        Column("entity", Text, primary_key=True),
        Column("entity_id", Text, primary_key=True),
        Column("as_of", DateTime(timezone=True), primary_key=True),
        Column("label", Integer, nullable=False),
        Column("known_at", DateTime(timezone=True), nullable=False),
    )
    sources = {
        "decisions": Catalogue([("decisions.decision.made", 1, DecisionMade)]),
        "monitoring": FACTS,
    }

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        match told.fact:
            case DecisionMade() as fact:
                return [(self.scored, _scored(fact))]
            case OutcomesRecorded() as fact:
                return [(self.outcome, (fact.entity, one.entity_id, one.as_of)) for one in fact.outcomes]
            case _:
                return []

    def project(self, rows: Rows, told: Told) -> None:
        match told.fact:
            case DecisionMade() as fact:
                key = _scored(fact)
                names = ("version_id", "entity", "entity_id", "as_of")
                rows[self.scored, key] = {**dict(zip(names, key, strict=True)), "score": fact.score}
            case OutcomesRecorded() as fact:
                self._labels(rows, fact)
            case _:
                pass

    def _labels(self, rows: Rows, fact: OutcomesRecorded) -> None:
        for one in fact.outcomes:
            key = (fact.entity, one.entity_id, one.as_of)
            before = rows[self.outcome, key]
            # What became known later replaces what was known before, in whatever order they were delivered.
            if before is None or one.known_at >= before["known_at"]:
                rows[self.outcome, key] = {
                    "entity": fact.entity,
                    "entity_id": one.entity_id,
                    "as_of": one.as_of,
                    "label": one.label,
                    "known_at": one.known_at,
                }


def _scored(fact: DecisionMade) -> tuple[Any, ...]:
    return fact.version_id, fact.entity, fact.entity_id, fact.as_of or fact.decided_at


def _bucket(window_seconds: int | None, moment: ColumnElement[datetime]) -> ColumnElement[datetime]:
    if window_seconds is None:
        return func.date_trunc("month", moment, "UTC")
    return func.date_bin(func.make_interval(0, 0, 0, 0, 0, 0, window_seconds), moment, datetime(1970, 1, 1, tzinfo=UTC))


def _labels(window_seconds: int | None, known_by: datetime) -> Subquery:
    """One label an entity and bucket: the one known last by a moment."""
    outcome = Labelled.outcome.c
    dated = (
        select(Labelled.outcome, _bucket(window_seconds, outcome.as_of).label("bucket"))
        .where(outcome.known_at <= known_by)
        .subquery()
        .c
    )
    return (
        select(dated.entity, dated.entity_id, dated.bucket, dated.label)
        .ext(distinct_on(dated.entity, dated.entity_id, dated.bucket))
        .order_by(dated.entity, dated.entity_id, dated.bucket, dated.known_at.desc(), dated.as_of.desc())
        .subquery()
    )


def _cases(window_seconds: int | None, version_id: str, bins: int) -> Subquery:
    """Decisions of a version with their bucket and the bin of their score."""
    scored = Labelled.scored.c
    place = func.least(func.greatest(cast(func.floor(scored.score * bins), Integer), 0), bins - 1)
    bucket = _bucket(window_seconds, scored.as_of)
    return (
        select(scored.entity, scored.entity_id, bucket.label("bucket"), place.label("place"))
        .where(scored.version_id == version_id)
        .subquery()
    )


async def cohorts(views: ViewReader, monitor: MonitorDefined, known_by: datetime) -> "list[Cohort]":
    """Scores of a version by bucket and outcome, with the labels known by a moment.

    A label belongs to the decisions of the same entity in the same bucket.
    """
    import numpy as np

    from letopis.monitoring.outcome.quality import SCORE_BINS, Cohort

    cases = _cases(monitor.window_seconds, monitor.version_id, SCORE_BINS)
    labels = _labels(monitor.window_seconds, known_by)
    same = and_(*(cases.c[name] == labels.c[name] for name in ("entity", "entity_id", "bucket")))
    query = (
        select(cases.c.bucket, labels.c.label, cases.c.place, func.count().label("cases"))
        .select_from(cases.outerjoin(labels, same))
        .group_by(cases.c.bucket, labels.c.label, cases.c.place)
    )
    told: dict[datetime, Cohort] = {}
    for row in await views.rows(Labelled, query):
        start = row["bucket"].astimezone(UTC)
        empty = Cohort(start=start, decisions=0, bad=np.zeros(SCORE_BINS, int), good=np.zeros(SCORE_BINS, int))
        cohort = told.get(start, empty)
        if row["label"] is not None:
            (cohort.bad if row["label"] else cohort.good)[row["place"]] += row["cases"]
        told[start] = replace(cohort, decisions=cohort.decisions + row["cases"])
    return [told[start] for start in sorted(told)]
