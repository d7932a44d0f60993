"""Reading sealed facts: a record, or a whole ledger as a view that may read it sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from letopis.common.envelope import Record
from letopis.common.following.source import Source
from letopis.common.sealing.keyring import Keyring
from letopis.common.sealing.sealed import PREFIX, Key, Place, key_id, key_ids, unseal
from letopis.common.serialization import Catalogue


def opened_record(record: Record, facts: Catalogue, keys: Mapping[str, Key]) -> Record:
    """The record with its personal fields in clear where their keys exist; erased ones stay sealed.

    What comes back is not what was hashed and MUST NOT be stored or sent on as the record.
    """
    marked = facts.marked(record.type, record.schema_version)
    if not marked or PREFIX.encode() not in record.data:
        return record
    told: dict[str, Any] = msgspec.json.decode(record.data)
    data = record.data
    for field, template in marked.items():
        text = told[field]
        if isinstance(text, str) and (key := keys.get(key_id(text))) is not None:
            place = Place(
                ledger=record.ledger,
                type=record.type,
                event_id=record.event_id,
                field=field,
                subject=template.format_map(told),
            )
            name = f'"{field}":'.encode()
            data = data.replace(name + msgspec.json.encode(text), name + unseal(key, place, text), 1)
    return replace(record, data=data)


@dataclass(slots=True)
class OpenedLedger:
    """A ledger whose personal fields are opened as it is read, for views of those who may read them.

    Reading waits for the key store (KeysAway is Unavailable): away is not the same as erased.
    """

    source: Source
    facts: Catalogue
    keyring: Keyring

    @property
    def ledger(self) -> str:
        return self.source.ledger

    @property
    def known(self) -> int:
        return self.source.known

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        records = await self.source.read(after, limit, sure=sure)
        ids = {id for one in records if self.facts.knows(one.type) for id in key_ids(one.data)}
        if not ids:
            return records
        keys = await self.keyring.keys(ids)
        return [opened_record(one, self.facts, keys) for one in records]

    async def head(self) -> int:
        return await self.source.head()

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 a quiet ledger is no error
        await self.source.wait(after, timeout)

    def taken(self, reader: str, position: int) -> None:
        self.source.taken(reader, position)
