"""A fact as history cites it: what it says, who did it and why, and where it stands."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from letopis.common.envelope import Record, time_text


@dataclass(frozen=True, slots=True)
class Cited:
    """A record with its data and meta parsed once."""

    record: Record
    fact: dict[str, Any]
    meta: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.record.ledger}/{self.record.position}"

    def told(self, *names: str) -> dict[str, Any]:
        """Where it stands, who did it, and its fields (all of them if none is named)."""
        actor = self.meta.get("actor") or {}
        return {
            "place": self.place,
            "event_id": str(self.record.event_id),
            "type": self.record.type,
            "recorded_at": time_text(self.record.recorded_at),
            "who": actor.get("person") or actor.get("login") or actor.get("service") or "",
            "purpose": self.meta.get("purpose", ""),
            "policy_revision": (self.meta.get("authorization") or {}).get("revision", ""),
            "fact": {name: self.fact.get(name) for name in names} if names else self.fact,
        }


def cite(record: Record) -> Cited:
    return Cited(record, json.loads(record.data), json.loads(record.meta))


def cited(records: Iterable[Record]) -> list[Cited]:
    return [cite(one) for one in records]
