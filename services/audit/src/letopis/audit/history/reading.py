"""Reads what history is told of, from the chronicle's copies: positions of a moment, and the facts that matter."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from letopis.audit.history import as_of, decision
from letopis.audit.history.cited import Cited, cite, cited
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.sealed import NotSealedYet, SealedLog
from letopis.common.envelope import Record, time_text
from letopis.common.errors import NotFound
from letopis.common.following.moments import last_before
from letopis.common.ledgers import LEDGERS

MADE = "decisions.decision.made"
MOST = 2000
_VERSION = (
    *("registry.version.registered", "registry.evidence.added", "registry.promotion.requested"),
    *("registry.promotion.approved", "registry.promotion.rejected", "registry.promotion.completed"),
)
_ANSWERING = tuple(
    f"inference.deployment.{name}"
    for name in ("deployed", "replaced", "consumer_granted", "consumer_revoked", "retired")
)
_WATCHING = (
    *("monitoring.monitor.defined", "monitoring.monitor.thresholds_changed", "monitoring.monitor.retired"),
    *("monitoring.alert.opened", "monitoring.alert.resolved"),
)


class DecisionUnknown(NotFound):
    """No copied fact is a decision of this id."""

    code = "history.decision_unknown"
    title = "No such decision has been copied into the chronicle"


@dataclass(frozen=True, slots=True)
class History:
    """The chronicle's copies as a time machine."""

    copies: CopyStore
    log: SealedLog

    async def positions(self, moment: datetime) -> dict[str, int]:
        """How far each ledger had come at a moment."""
        found = {}
        for ledger in LEDGERS:
            head = await self.copies.head(ledger)
            last = await last_before(partial(self._bounded, ledger, head), moment) if head else 0
            found[ledger] = last
        return found

    async def of(self, ledger: str, types: Iterable[str], after: int, upto: int, *needles: str) -> list[Cited]:
        """Facts of some types between two positions in which every needle stands, in order."""
        condition = "type = ANY(%s) AND position > %s AND position <= %s"
        condition += " AND position(%s::bytea IN data) > 0" * len(needles)
        sought = [needle.encode() for needle in needles]
        return cited(await self.copies.select(condition, ledger, sorted(types), after, upto, *sought))

    async def decision(self, decision_id: str) -> tuple[dict[str, Any], datetime, dict[str, int]]:
        """The history of a decision, the second it was made, and how far the ledgers had come."""
        record = await self._decision(decision_id)
        made = cite(record)
        fact = made.fact
        moment = datetime.fromisoformat(fact["decided_at"])
        then = await self.positions(moment)
        version, model = _field("version_id", fact["version_id"]), _field("model_id", fact["model_id"])
        registry = await self.of("registry", _VERSION, 0, then["registry"], version)
        wanted = set(
            next(
                (
                    one.fact["manifest"].get("training_data") or ()
                    for one in registry
                    if one.record.type == "registry.version.registered"
                ),
                (),
            )
        )
        built = await self.of("features", ["features.dataset.built"], 0, then["features"]) if wanted else []
        lease = (made.meta.get("authorization") or {}).get("lease")
        found = await self.copies.find(UUID(lease)) if lease else None
        around = decision.Around(
            lease=cite(found) if found else None,
            registry=_merged(registry, await self.of("registry", as_of.MODELS, 0, then["registry"], model)),
            inference=await self.of(
                "inference", _ANSWERING, 0, then["inference"], _field("application", fact["application"])
            ),
            datasets=[one for one in built if one.fact["dataset_id"] in wanted],
            monitoring=await self._monitoring(fact, then["monitoring"]),
            since=await self._since(made, then),
            principals=await self.of("registry", as_of.RIGHTS, 0, then["registry"], _field("login", fact["consumer"])),
        )
        document, pieces = decision.told(made, around)
        proofs = await asyncio.to_thread(self._proofs, pieces)
        return {**document, "as_of": self.heads(moment, then), "proofs": proofs}, moment, then

    def heads(self, moment: datetime, positions: dict[str, int]) -> dict[str, Any]:
        """The moment, how far each ledger had come, and how far it is sealed today."""
        sealed = {ledger: self.log.size(ledger) for ledger in positions}
        return {"moment": time_text(moment), "positions": positions, "sealed": sealed}

    async def _decision(self, decision_id: str) -> Record:
        try:
            record = await self.copies.find(UUID(decision_id))
        except ValueError:
            record = None
        if record is None or record.type != MADE:
            raise DecisionUnknown(f"no decision {decision_id}")
        return record

    async def _monitoring(self, fact: dict[str, Any], upto: int) -> list[Cited]:
        about = await self.of("monitoring", _WATCHING, 0, upto, _field("model_id", fact["model_id"]))
        ids = {one.fact.get("alert_id") for one in about} | {fact["version_id"]}
        others = await self.of("monitoring", [*_WATCHING[1:3], "monitoring.alert.resolved"], 0, upto)
        wanted = [one for one in others if one.fact.get("alert_id", one.fact.get("monitor_id")) in ids]
        return _merged(about, wanted)

    async def _since(self, made: Cited, then: dict[str, int]) -> list[Cited]:
        """What befell the decision, its client's data and its version afterwards."""
        fact, id = made.fact, str(made.record.event_id)
        end = {ledger: await self.copies.head(ledger) for ledger in then}
        subject = f"{fact['entity']}:{fact['entity_id']}"
        asked: Sequence[tuple[str, tuple[str, ...], str]] = (
            ("inference", ("inference.decision.revealed", "inference.decision.rescored"), _field("decision_id", id)),
            ("registry", ("registry.production.entered",), _field("model_id", fact["model_id"])),
            ("registry", ("registry.production.rolled_back",), _field("model_id", fact["model_id"])),
            ("monitoring", ("monitoring.alert.opened",), _field("version_id", fact["version_id"])),
            ("audit", ("audit.subject.key_destroyed", "audit.subject.hold_placed"), _field("subject", subject)),
            ("audit", ("audit.evidence.read",), _field("event_id", id)),
        )
        found = [
            one
            for ledger, types, needle in asked
            for one in await self.of(ledger, types, then[ledger], end[ledger], needle)
        ]
        return sorted(found, key=lambda one: (one.record.recorded_at, one.place))[:MOST]

    def _proofs(self, pieces: Sequence[Cited]) -> list[dict[str, Any]]:
        """The proof of every cited fact under the newest signed head; those not sealed yet say so."""
        told = []
        for ledger in sorted({one.record.ledger for one in pieces}):
            try:
                head = self.log.head(ledger)
            except NotFound:
                continue
            for one in sorted({one.place: one for one in pieces if one.record.ledger == ledger}.values(), key=_order):
                try:
                    proof = self.log.prove(one.record, head)
                except NotSealedYet:
                    continue
                told.append(
                    {
                        "place": one.place,
                        "size": head.size,
                        "root": head.root.hex(),
                        "hashes": [step.hex() for step in proof],
                    }
                )
        return told

    async def _bounded(self, ledger: str, head: int, after: int, limit: int) -> Sequence[Record]:
        return await self.copies.read(ledger, after, limit) if after < head else ()


def _merged(*found: Iterable[Cited]) -> list[Cited]:
    """Facts of one ledger, each once, in order."""
    return sorted({one.place: one for part in found for one in part}.values(), key=_order)


def _order(one: Cited) -> int:
    return one.record.position


def _field(name: str, value: str) -> str:
    """A field as it stands in canonical data."""
    return f"{msgspec.json.encode(name).decode()}:{msgspec.json.encode(value).decode()}"
