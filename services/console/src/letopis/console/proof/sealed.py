"""Fetches what a proof needs from the public log, and says in one word what came of it."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from letopis.common.envelope import Record, record_to_json
from letopis.common.errors import LetopisError
from letopis.common.http import Call
from letopis.common.leaf import leaf_bytes, leaf_hash
from letopis.console.page.owners import Owners
from letopis.console.proof.checking import Head, NotProved, check_inclusion, signed_head


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A record, its leaf, the path to a signed root (hashes in hex), and what the check says.

    `state`: verified; pending (not sealed yet, a matter of seconds); away (audit did not answer, or does not show
    it); broken (the record is not what was sealed, or the head is not the log's).
    """

    state: Literal["verified", "pending", "away", "broken"]
    why: str
    record: dict[str, str]
    leaf: str
    leaf_hash: str
    size: int = 0
    root: str = ""
    hashes: tuple[str, ...] = ()
    checkpoint: str = ""
    key: str = ""

    @property
    def index(self) -> int:
        """The leaf's place in the tree, from 0."""
        return int(self.record["position"]) - 1

    def document(self) -> dict[str, Any]:
        """What another verifier needs, without our opinion."""
        return {name: value for name, value in asdict(self).items() if name not in {"state", "why"}}


@dataclass(frozen=True, slots=True)
class KeyBook:
    """The log's keys as they were when first met; what another key signs later is not believed."""

    folder: Path

    def known(self, ledger: str) -> str | None:
        """The key (`name+id+base64`) that was met first; None before."""
        path = self._path(ledger)
        return path.read_text("utf-8").strip() if path.exists() else None

    def met(self, ledger: str, published: str) -> None:
        """Keep a key for good."""
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{ledger}.{os.getpid()}"
        aside.write_text(published, "utf-8")
        aside.replace(self._path(ledger))

    def _path(self, ledger: str) -> Path:
        return self.folder / f"{ledger}.key"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The chronicle's public log as this console reads it."""

    owners: Owners
    keys: KeyBook

    async def head(self, ledger: str) -> tuple[Head, str, str] | None:
        """The published head, its note and key; None where nothing is sealed. NotProved, OwnerAway."""
        note = await self.owners.public("audit", f"/log/{ledger}/checkpoint")
        if note is None:
            return None
        key = await asyncio.to_thread(self.keys.known, ledger)
        if key is None:
            published = await self.owners.public("audit", f"/log/{ledger}/key")
            if published is None:
                return None
            key = published.decode().strip()
            head = signed_head(note.decode(), key)
            await asyncio.to_thread(self.keys.met, ledger, key)
        else:
            head = signed_head(note.decode(), key)
        return head, note.decode(), key

    async def sizes(self, ledgers: Sequence[str]) -> dict[str, int]:
        """How many facts of each ledger lie under a signature; ledgers without a believable head are left out."""
        found = await asyncio.gather(*(self._size(ledger) for ledger in ledgers))
        return {ledger: size for ledger, size in zip(ledgers, found, strict=True) if size is not None}

    async def prove(self, call: Call, record: Record) -> Proof:
        """The proof of a record, checked."""
        told = Proof(
            state="pending",
            why="Not under a signed checkpoint yet; that takes seconds. Reload the page.",
            record=record_to_json(record),
            leaf=leaf_bytes(record).decode(),
            leaf_hash=leaf_hash(record).hex(),
        )
        try:
            found = await self.head(record.ledger)
            if found is None or found[0].size < record.position:
                return told
            head, note, key = found
            proof = await self.owners.document(
                call,
                "audit",
                "/v1/proofs/inclusion",
                ledger=record.ledger,
                position=record.position,
                size=head.size,
            )
            path = [bytes.fromhex(one) for one in proof["hashes"]]
            check_inclusion(leaf_hash(record), record.position - 1, head, path)
        except NotProved as bad:
            return _as(told, "broken", str(bad))
        except LetopisError as away:
            return _as(told, "away", away.detail)
        return Proof(
            state="verified",
            why="",
            record=told.record,
            leaf=told.leaf,
            leaf_hash=told.leaf_hash,
            size=head.size,
            root=head.root.hex(),
            hashes=tuple(proof["hashes"]),
            checkpoint=note,
            key=key,
        )

    async def _size(self, ledger: str) -> int | None:
        try:
            found = await self.head(ledger)
        except (LetopisError, NotProved):
            return None
        return found[0].size if found else 0


def _as(told: Proof, state: Literal["away", "broken"], why: str) -> Proof:
    return Proof(state=state, why=why, record=told.record, leaf=told.leaf, leaf_hash=told.leaf_hash)
