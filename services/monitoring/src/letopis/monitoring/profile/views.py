"""Profiles: what one monitored version was fed, counted by bucket of event time.

Each monitor has a view of its own, which starts at the decisions ledger's first fact; so a monitor that is defined late
counts all decisions of its version, and its rows do not depend on when it was defined.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, Table, select

from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.common.serialization import Catalogue
from letopis.inference.contract import DecisionMade, DecisionRefused
from letopis.monitoring.monitor.events import MonitorDefined
from letopis.monitoring.monitor.window import bucket_of

if TYPE_CHECKING:
    from letopis.monitoring.profile.histogram import Bucket, Value

_DECISIONS = Catalogue(
    [("decisions.decision.made", 1, DecisionMade), ("decisions.decision.refused", 1, DecisionRefused)]
)


class Profile(View):
    """One row a bucket; `packed` holds the histograms of the features in the monitor's order, then the score's."""

    name: ClassVar[str] = "profile"
    version = 1
    metadata = MetaData()
    table = Table(
        "profile",
        metadata,
        Column("bucket", DateTime(timezone=True), primary_key=True),
        Column("rows", Integer, nullable=False),
        Column("refused", Integer, nullable=False),
        Column("packed", LargeBinary, nullable=False),
    )
    sources = {"decisions": _DECISIONS}

    def __init__(self, monitor: MonitorDefined) -> None:
        # numpy comes with the first monitor, not with the start of the service.
        from letopis.monitoring.profile.reference import SCORE, bins

        self._version_id = monitor.version_id
        self._window = monitor.window_seconds
        self._bins = [*map(bins, monitor.features), SCORE]
        self._names = [one.feature for one in self._bins[:-1]]

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (self._bucket(told.fact),))] if told.fact.version_id == self._version_id else []

    def project(self, rows: Rows, told: Told) -> None:
        self.fold(rows, [told])

    def fold(self, rows: Rows, batch: Sequence[Told]) -> None:
        """All facts of a bucket at once: unpack, count column by column, pack."""
        facts: dict[datetime, list[DecisionMade | DecisionRefused]] = defaultdict(list)
        for told in batch:
            if told.fact.version_id == self._version_id:
                facts[self._bucket(told.fact)].append(told.fact)
        for bucket, found in facts.items():
            rows[self.table, (bucket,)] = self._counted(bucket, rows[self.table, (bucket,)], found)

    def _counted(
        self, bucket: datetime, row: dict[str, Any] | None, facts: Sequence[DecisionMade | DecisionRefused]
    ) -> dict[str, Any]:
        from letopis.monitoring.profile.histogram import (
            ABSENT_VALUE,
            REFUSED_VALUE,
            Histogram,
            count,
            pack_all,
            unpack_all,
        )

        histograms = unpack_all(bytes(row["packed"])) if row else [Histogram() for _ in self._bins]
        made = [fact for fact in facts if isinstance(fact, DecisionMade)]
        refused = [fact for fact in facts if isinstance(fact, DecisionRefused)]
        # Inputs that stay sealed belong to somebody who was erased: only the row and its score count.
        given = [fact.inputs for fact in made if isinstance(fact.inputs, dict)]
        columns: list[list[Value]] = [[inputs.get(name, ABSENT_VALUE) for inputs in given] for name in self._names]
        columns.append([fact.score for fact in made])
        for fact in refused:
            blamed = {problem.field for problem in fact.problems}
            for place, name in enumerate(self._names):
                if name in blamed:
                    columns[place].append(REFUSED_VALUE)
        for binning, values, histogram in zip(self._bins, columns, histograms, strict=True):
            count(binning, values, histogram)
        return {
            "bucket": bucket,
            "rows": (row["rows"] if row else 0) + len(made),
            "refused": (row["refused"] if row else 0) + len(refused),
            "packed": pack_all(histograms),
        }

    def _bucket(self, fact: DecisionMade | DecisionRefused) -> datetime:
        moment = fact.refused_at if isinstance(fact, DecisionRefused) else fact.as_of or fact.decided_at
        return bucket_of(self._window, moment)


def profile_of(monitor: MonitorDefined) -> Profile:
    """The view of one monitor, under a name of its own."""

    class Named(Profile):
        name = f"profile_{sha256(monitor.monitor_id.encode()).hexdigest()[:12]}"

    return Named(monitor)


async def sizes(views: ViewReader, profile: Profile) -> dict[datetime, int]:
    """Rows and refusals by bucket: what tells an evaluation that something came."""
    table = Profile.table
    found = await views.rows(profile, select(table.c.bucket, table.c.rows, table.c.refused))
    return {row["bucket"].astimezone(UTC): row["rows"] + row["refused"] for row in found}


async def buckets(views: ViewReader, profile: Profile) -> "list[Bucket]":
    """All buckets in their order."""
    from letopis.monitoring.profile.histogram import Bucket, unpack_all

    told = []
    for row in await views.rows(profile, select(Profile.table).order_by(Profile.table.c.bucket)):
        *features, score = unpack_all(bytes(row["packed"]))
        start = row["bucket"].astimezone(UTC)
        told.append(
            Bucket(start=start, rows=row["rows"], refused=row["refused"], features=tuple(features), score=score)
        )
    return told
