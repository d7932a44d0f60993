"""A chronicle of one ledger on a real database: copied, sealed, a head kept outside, and the hands of an attacker."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.checkpoint import kept, stored
from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.ledger import differing
from letopis.audit.evidence.verifier.note import keys_of
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.growth import grow
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.audit.log.shelf import Shelf
from letopis.common.database import open_engine
from letopis.common.envelope import Record
from letopis.common.leaf import leaf_bytes
from letopis.common.serialization import canonical

LEDGER = "registry"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(f"letopis.test/log/{LEDGER}", KEY)
START = datetime(2026, 3, 1, tzinfo=UTC)


def fact(position: int, **other: Any) -> Record:
    """A fact as an owner would have told it."""
    about: dict[str, Any] = {
        "ledger": LEDGER,
        "position": position,
        "stream": f"promotion:{position % 7}",
        "version": position,
        "prev": max(0, position - 7),
        "event_id": UUID(bytes=sha256(str(position).encode()).digest()[:16], version=4),
        "type": "registry.promotion.approved",
        "schema_version": 1,
        "recorded_at": START + timedelta(seconds=position),
        "command_id": UUID(int=position),
        "salt": sha256(b"salt" + str(position).encode()).digest()[:16],
        "data": canonical({"promotion_id": str(position), "person": "boris"}),
        "meta": b'{"actor":{"person":"boris"}}',
    }
    return Record(**(about | other))


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies; `url` is the superuser's."""

    url: str
    folder: Path

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.folder / "log")

    def seal(self, records: list[Record] | None = None) -> None:
        """Copy these facts and seal what was copied, as the chronicle does."""
        asyncio.run(self._seal(records or []))

    async def _seal(self, records: list[Record]) -> None:
        engine = open_engine(self.url, autocommit=True)
        try:
            copies = CopyStore(engine)
            if records:
                await copies.append(LEDGER, records)
            locks = LockStore(self.folder / "heads.sqlite")
            sealer = Sealer(ledger=LEDGER, copies=copies, shelf=self.shelf, locks=locks, signer=SIGNER)
            while await sealer.seal():
                pass
        finally:
            await engine.dispose()

    def keep(self, name: str = "kept") -> Path:
        """The head of today with the hashes below it, in a place the attacker does not reach."""
        out = self.folder.parent / name / LEDGER
        with self.public() as log:
            kept.fetch(log, LEDGER, out, keys_of(SIGNER.verifier().text()))
        return out

    @contextmanager
    def public(self) -> Iterator[httpx.Client]:
        """The log as the world reads it: files below the shelf."""

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/key"):
                return httpx.Response(200, text=f"{SIGNER.verifier().text()}\n")
            path = self.folder / request.url.path.removeprefix("/")
            return httpx.Response(200, content=path.read_bytes()) if path.is_file() else httpx.Response(404)

        with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://log") as log:
            yield log

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection[Any]]:
        """Every trigger off, whatever is refused to everybody else."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            tables = connection.execute(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'copy' AND c.relname LIKE 'record%' AND c.relkind IN ('r', 'p')"
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            yield connection

    def records(self) -> list[Record]:
        """What the database holds now."""

        async def read() -> list[Record]:
            engine = open_engine(self.url, autocommit=True)
            try:
                return await CopyStore(engine).select("position > %s", LEDGER, 0)
            finally:
                await engine.dispose()

        return asyncio.run(read())

    def rehash(self, records: list[Record] | None = None) -> None:
        """With the log's own key: the whole tree anew over what the database holds, head and all."""
        shutil.rmtree(self.folder / "log")
        shelf, found = self.shelf, self.records() if records is None else records
        tiles, bundles = partial(shelf.tile, LEDGER), partial(shelf.entries, LEDGER)
        grown = grow(0, [leaf_bytes(one) for one in found], tiles, bundles)
        shelf.write(LEDGER, grown.files)
        head = Checkpoint(SIGNER.name, grown.frontier.size, grown.frontier.root())
        shelf.publish(LEDGER, sign_note(head.text(), SIGNER).encode())


def database_verdict(place: Place, outside: Path) -> str:
    """What `letopis verify --database --copy --checkpoint` says: the first bad position, or nothing."""
    held = kept.read(outside, keys_of(SIGNER.verifier().text()))
    assert held.hashes is not None
    rows = stored.of_database(place.url, LEDGER, held.head.size, copy=True)
    return next((fault.place for fault in islice(differing(LEDGER, rows, held.hashes), 1)), "")


def log_verdict(place: Place, outside: Path) -> str:
    """What `letopis verify --log --checkpoint` says: the first bad position, or nothing."""
    keys = keys_of(SIGNER.verifier().text())
    try:
        with place.public() as log:
            kept.continued(log, kept.read(outside, keys), keys)
    except Bad as bad:
        return bad.place
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What is done, and where it must be found: in the database, in the public log, or in both."""

    name: str
    act: Callable[[Place], None]
    position: int
    database: bool = True
    log: bool = False


def _sql(*statements: str) -> Callable[[Place], None]:
    def act(place: Place) -> None:
        with place.superuser() as connection:
            for statement in statements:
                assert connection.execute(statement.encode()).rowcount > 0, statement

    return act


AT, COUNT = 300, 700
_OF = f"copy.record WHERE ledger = '{LEDGER}' AND position"
_CHANGE = (
    f'UPDATE copy.record SET meta = \'{{"actor":{{"person":"anna"}}}}\' WHERE ledger = \'{LEDGER}\' AND position = {AT}'
)
_CLOSE = (
    f"UPDATE copy.record SET position = position + 100000 WHERE ledger = '{LEDGER}' AND position > {AT}",
    f"UPDATE copy.record SET position = position - 100001 WHERE ledger = '{LEDGER}' AND position > 100000",
)


def _rehashed(place: Place) -> None:
    _sql(_CHANGE)(place)
    place.rehash()


def _restored(place: Place) -> None:
    """Yesterday's backup of database, tiles and head, all of them honest then."""
    _sql(f"DELETE FROM {_OF} > {AT - 1}")(place)
    place.rehash()


def _forked(place: Place) -> None:
    """The database stays honest; the world is shown another history, signed with the stolen key."""
    records = place.records()
    records[AT - 1] = replace(records[AT - 1], data=canonical({"promotion_id": str(AT), "person": "anna"}))
    place.rehash(records)


def _inserted(place: Place) -> None:
    _sql(
        f"UPDATE copy.record SET position = position + 100000 WHERE ledger = '{LEDGER}' AND position >= {AT}",
        f"UPDATE copy.record SET position = position - 99999 WHERE ledger = '{LEDGER}' AND position > 100000",
        f"INSERT INTO copy.record SELECT ledger, {AT}, 'promotion:forged', 1, 0, gen_random_uuid(), type, "
        f"schema_version, recorded_at, NULL, salt, data, meta FROM {_OF} = {AT - 1}",
    )(place)


ATTACKS = (
    Attack(name="a fact changed", act=_sql(_CHANGE), position=AT),
    Attack(name="a fact deleted", act=_sql(f"DELETE FROM {_OF} = {AT}"), position=AT),
    Attack(name="a fact deleted, the hole closed", act=_sql(f"DELETE FROM {_OF} = {AT}", *_CLOSE), position=AT),
    Attack(name="a fact inserted", act=_inserted, position=AT),
    Attack(
        name="two facts swapped",
        act=_sql(
            f"UPDATE copy.record SET position = 100000 WHERE ledger = '{LEDGER}' AND position = {AT}",
            f"UPDATE copy.record SET position = {AT} WHERE ledger = '{LEDGER}' AND position = {AT + 9}",
            f"UPDATE copy.record SET position = {AT + 9} WHERE ledger = '{LEDGER}' AND position = 100000",
        ),
        position=AT,
    ),
    Attack(name="the end cut off", act=_sql(f"DELETE FROM {_OF} >= {AT}"), position=AT),
    Attack(name="the whole tree hashed again, with the log's key", act=_rehashed, position=AT, log=True),
    Attack(name="an old backup restored", act=_restored, position=AT, log=True),
    Attack(name="a fork shown to the world, with the log's key", act=_forked, position=AT, database=False, log=True),
)
