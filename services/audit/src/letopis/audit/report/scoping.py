"""The facts that a scope names: a decision with what explains it, single facts, a period of a ledger."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from letopis.audit.log.copy import CopyStore
from letopis.audit.log.sealed import NotSealedYet, SealedLog
from letopis.common.envelope import Record
from letopis.common.errors import Invalid, NotFound

MOST = 20_000
DECISION = "decisions.decision.made"


class FactUnknown(NotFound):
    """No ledger copied here holds a fact of this id."""

    code = "evidence.fact_unknown"
    title = "No such fact has been copied"


class NoDecision(NotFound):
    """The id is that of another fact."""

    code = "evidence.no_decision"
    title = "The fact of this id is no decision"


class TooMany(Invalid):
    """A period of so many facts would be a pack that nobody can open."""

    code = "pack.too_many"
    title = f"The period holds more than {MOST} facts; ask for a shorter one"


Chosen = dict[str, dict[int, Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoping:
    """Looks facts up in the copies; what it answers lies under the sizes it is given."""

    copies: CopyStore
    log: SealedLog

    async def find(self, event_id: str) -> Record:
        """The record of an event id; FactUnknown if there is none."""
        try:
            record = await self.copies.find(UUID(event_id))
        except ValueError:
            record = None
        if record is None:
            raise FactUnknown(f"no fact {event_id} has been copied")
        return record

    async def events(self, ids: Iterable[str]) -> list[Record]:
        """Facts and the leases they were made under."""
        found = [await self.find(one) for one in ids]
        for record in list(found):
            lease = (json.loads(record.meta).get("authorization") or {}).get("lease")
            if lease:
                found.append(await self.find(lease))
        return found

    async def decision(self, decision_id: str) -> list[Record]:
        """A decision, the permission it was made under, and how its model's training data was built."""
        found = await self.events([decision_id])
        if found[0].type != DECISION:
            raise NoDecision(f"{decision_id} is {found[0].type}")
        return [*found, *await self.training_data({json.loads(found[0].data)["model_id"]})]

    async def training_data(self, models: set[str], versions: Iterable[str] = ()) -> list[Record]:
        """How the data sets were built that versions of these models were trained on."""
        chosen, wanted = set(versions), set[str]()
        for record in await self._of_types("registry", ["registry.version.registered"]):
            fact = json.loads(record.data)
            if fact["model_id"] in models or fact["version_id"] in chosen:
                wanted |= set(fact["manifest"].get("training_data") or ())
        if not wanted:
            return []
        built = await self._of_types("features", ["features.dataset.built"])
        return [one for one in built if json.loads(one.data)["dataset_id"] in wanted]

    async def watching(self, models: set[str], versions: set[str]) -> list[Record]:
        """What monitoring recorded of models or versions: monitors, alerts and their answers."""
        told = []
        alerts = set[str]()
        for record in await self._of_types("monitoring", _WATCHED):
            fact = json.loads(record.data)
            if fact.get("model_id") in models or fact.get("version_id") in versions:
                alerts |= {fact["alert_id"]} if "alert_id" in fact else set()
                told.append(record)
            elif fact.get("alert_id") in alerts:
                told.append(record)
        return told

    async def period(self, ledger: str, first_day: date, last_day: date, size: int) -> list[Record]:
        """Every fact of a ledger recorded on these days (UTC), which is a range of positions; TooMany."""
        begin = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
        end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) + timedelta(days=1)
        span = await self.copies.span(ledger, begin, end, size)
        if span is None:
            return []
        if span[1] - span[0] >= MOST:
            raise TooMany(f"{ledger}: {span[1] - span[0] + 1} facts")
        return await self.copies.read(ledger, span[0] - 1, span[1] - span[0] + 1)

    async def _of_types(self, ledger: str, types: Sequence[str]) -> list[Record]:
        upto = await asyncio.to_thread(self.log.size, ledger)
        return await self.copies.of_types(ledger, types, upto)


_WATCHED = [
    "monitoring.monitor.defined",
    "monitoring.monitor.thresholds_changed",
    "monitoring.alert.opened",
    "monitoring.alert.acknowledged",
    "monitoring.alert.resolved",
]


def chosen(records: Iterable[Record], sizes: Mapping[str, int]) -> Chosen:
    """Records by ledger and position, each once; NotSealedYet if one lies beyond the size its ledger is read to."""
    told: Chosen = {}
    for record in records:
        if record.position > sizes.get(record.ledger, 0):
            raise NotSealedYet(f"{record.ledger}/{record.position} is beyond the signed head")
        told.setdefault(record.ledger, {})[record.position] = record
    return {ledger: dict(sorted(rows.items())) for ledger, rows in told.items()}
