"""Copying: each fact is hashed again and must be the one its owner announced, at the position that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from letopis.audit.incident.events import Kind
from letopis.audit.log.copy import CopyStore
from letopis.common.envelope import Record
from letopis.common.errors import EventStoreError
from letopis.common.leaf import leaf_hash


class CopyRefused(EventStoreError):
    """What arrived cannot be the continuation of what is here; an incident, and the ledger stands still."""

    code = "copy.refused"
    title = "A fact that arrived cannot be taken into the copy"

    def __init__(self, kind: Kind, ledger: str, position: int, detail: str) -> None:
        super().__init__(f"{ledger}/{position} {detail}", ledger=ledger, position=position)
        self.kind: Kind = kind
        self.ledger = ledger
        self.position = position


def continuing(ledger: str, after: int, records: Sequence[Record], announced: Mapping[int, bytes]) -> Sequence[Record]:
    """The records that continue a copy of `after` facts; CopyRefused at a hole or a leaf that is not announced."""
    for expected, record in enumerate(records, after + 1):
        if record.ledger != ledger or record.position != expected:
            raise CopyRefused("hole", ledger, expected, f"is missing, {record.ledger}/{record.position} came instead")
        leaf = announced.get(record.position)
        if leaf is not None and leaf != leaf_hash(record):
            raise CopyRefused("leaf", ledger, record.position, "does not hash to the leaf that its owner announced")
    return records


@dataclass(frozen=True, slots=True)
class Copier:
    """Takes facts of one ledger into the copy; what is there already must be the same."""

    ledger: str
    copies: CopyStore

    async def head(self) -> int:
        return await self.copies.head(self.ledger)

    async def take(self, records: Sequence[Record], announced: Mapping[int, bytes]) -> int:
        """Copy what is new and compare what is not; the new head. The copy is durable on return."""
        head = await self.head()
        known = [record for record in records if record.position <= head]
        if known:
            await self.compare(known)
        fresh = continuing(self.ledger, head, records[len(known) :], announced)
        if fresh:
            await self.copies.append(self.ledger, fresh)
        return head + len(fresh)

    async def compare(self, records: Sequence[Record]) -> None:
        """CopyRefused if the owner tells now another fact than it told before."""
        first = records[0].position
        ours = await self.copies.read(self.ledger, first - 1, len(records))
        for mine, theirs in zip(ours, records, strict=True):
            if leaf_hash(mine) != leaf_hash(theirs):
                raise CopyRefused("rewritten", self.ledger, mine.position, "is another fact than its owner told before")
