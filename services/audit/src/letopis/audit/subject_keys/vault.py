"""Keys in PostgreSQL, wrapped; what is destroyed stays destroyed, whatever is restored."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from letopis.audit.subject_keys.callers import READS
from letopis.audit.subject_keys.master import Master, MasterMissing
from letopis.common.database import away_is_unavailable
from letopis.common.sealing.sealed import KEY
from letopis.common.sealing.store import Destroyed, Issued

_ISSUE = text(
    "INSERT INTO subject_key (key_id, service, wrapped, subject, by_name) "
    "SELECT id, :service, wrapped, nullif(:subject, ''), :subject <> '' "
    "FROM unnest(CAST(:ids AS text[]), CAST(:wrapped AS bytea[])) AS made (id, wrapped)"
)
_FETCH = text(
    "SELECT key_id, wrapped FROM subject_key "
    "WHERE key_id = ANY(:ids) AND wrapped IS NOT NULL AND service = ANY(:services)"
)
_FEED = text(
    "SELECT seq, subject, key_id FROM destruction "
    "WHERE seq > CASE WHEN :after > (SELECT coalesce(max(seq), 0) FROM destruction) THEN 0 ELSE :after END "
    "ORDER BY seq LIMIT 1000"
)
_ASSIGN = text(
    "UPDATE subject_key SET subject = told.subject "
    "FROM unnest(CAST(:ids AS text[]), CAST(:subjects AS text[])) AS told (id, subject) "
    "WHERE key_id = told.id AND subject_key.subject IS NULL"
)
# A key taken from a pool for somebody who had been erased: used before the news, or still in a journal then.
_LATE = text(
    "SELECT key_id, erasure_id FROM subject_key JOIN LATERAL (SELECT erasure_id FROM destruction "
    "WHERE destruction.subject = subject_key.subject ORDER BY seq DESC LIMIT 1) AS erased ON true "
    "WHERE key_id = ANY(:ids) AND wrapped IS NOT NULL AND NOT by_name"
)
_GONE = text("SELECT key_id FROM subject_key WHERE key_id = ANY(:ids) AND wrapped IS NULL ORDER BY key_id")
_LIVING = text("SELECT key_id FROM subject_key WHERE subject = :subject AND wrapped IS NOT NULL ORDER BY key_id")
_COUNTS = text(
    "SELECT count(*) FILTER (WHERE wrapped IS NOT NULL), count(*) FILTER (WHERE wrapped IS NULL) "
    "FROM subject_key WHERE subject = :subject"
)
# One destruction after another, so that whoever reads up to a number has missed none before it.
_TURN = text("SELECT pg_advisory_xact_lock(hashtext('letopis.subject_keys.destruction'))")
# No key is wrapped under the old master key while a new one takes its place.
_WRAPPING = text("SELECT pg_advisory_xact_lock_shared(hashtext('letopis.subject_keys.rotation'))")
_ROTATING = text("SELECT pg_advisory_xact_lock(hashtext('letopis.subject_keys.rotation'))")
_FORGET = text(
    "UPDATE subject_key SET wrapped = NULL, destroyed_at = now() "
    "WHERE key_id = ANY(:ids) AND wrapped IS NOT NULL RETURNING key_id"
)
_TELL = text("INSERT INTO destruction (subject, key_id, erasure_id) VALUES (:subject, :key_id, :erasure_id)")
_TOLD = text("SELECT key_id FROM destruction WHERE erasure_id = :erasure_id AND key_id <> '' ORDER BY key_id")
_DONE = text("SELECT count(*) FROM destruction WHERE erasure_id = :erasure_id AND subject = :subject")
_LIVE = text("SELECT key_id, wrapped FROM subject_key WHERE wrapped IS NOT NULL FOR UPDATE")
_REWRAP = text(
    "UPDATE subject_key SET wrapped = told.wrapped "
    "FROM unnest(CAST(:ids AS text[]), CAST(:wrapped AS bytea[])) AS told (id, wrapped) WHERE key_id = told.id"
)


class _Noted(msgspec.Struct):
    """A line of the list beside the master key."""

    erasure_id: str
    ids: list[str]
    subject: str = ""


class KeyVault:
    """Every method may raise Unavailable when the database is away."""

    def __init__(self, engine: AsyncEngine, master: Master, destroyed: Path) -> None:
        self._engine = engine
        self._master = master
        self._destroyed = destroyed

    async def open(self) -> None:
        """Make the first master key of an empty store; destroy again what a restored database still has."""
        async with away_is_unavailable(), self._engine.begin() as connection:
            if not self._master.there:
                if (await connection.execute(text("SELECT count(*) FROM subject_key"))).scalar_one():
                    raise MasterMissing
                self._master.renew()
            await connection.execute(_TURN)
            for line in self._destroyed.read_bytes().splitlines() if self._destroyed.exists() else ():
                noted = msgspec.json.decode(line, type=_Noted)
                await self._forget(connection, noted)
                await self._bury(connection, noted)

    async def issue(self, service: str, count: int, subject: str) -> list[Issued]:
        """Fresh keys, durable before anybody has them."""
        made = [Issued(os.urandom(16).hex(), os.urandom(KEY)) for _ in range(count)]
        async with away_is_unavailable(), self._engine.begin() as connection:
            await connection.execute(_WRAPPING)
            values = {
                "service": service,
                "subject": subject,
                "ids": [one.id for one in made],
                "wrapped": [self._master.wrap(one.id, one.secret) for one in made],
            }
            await connection.execute(_ISSUE, values)
        return made

    async def fetch(self, service: str, ids: Sequence[str]) -> list[Issued]:
        """Those that exist and that the service may hold."""
        values = {"ids": list(ids), "services": list(READS[service])}
        async with away_is_unavailable(), self._engine.connect() as connection:
            rows = (await connection.execute(_FETCH, values)).all()
        return [Issued(id, self._master.unwrap(id, bytes(wrapped))) for id, wrapped in rows]

    async def destroyed(self, after: int) -> list[Destroyed]:
        """What was destroyed after a number; from the first on, if the number is not ours (a restored database)."""
        async with away_is_unavailable(), self._engine.connect() as connection:
            rows = (await connection.execute(_FEED, {"after": after})).all()
        return [Destroyed(*row) for row in rows]

    async def assign(self, told: Mapping[str, str]) -> list[str]:
        """Say whose keys these are; those of people erased already are destroyed. Those that no longer exist."""
        values = {"ids": list(told), "subjects": list(told.values())}
        async with away_is_unavailable(), self._engine.begin() as connection:
            await connection.execute(_ASSIGN, values)
            late = (await connection.execute(_LATE, {"ids": list(told)})).all()
            if late:
                await connection.execute(_TURN)
                for id, erasure_id in late:
                    noted = _Noted(erasure_id=erasure_id, ids=[id])
                    self._note(noted)
                    await self._forget(connection, noted)
            return list((await connection.execute(_GONE, {"ids": list(told)})).scalars())

    async def find(self, subject: str) -> tuple[int, int]:
        """How many keys of a subject live, and how many are destroyed."""
        async with away_is_unavailable(), self._engine.connect() as connection:
            living, gone = (await connection.execute(_COUNTS, {"subject": subject})).one()
        return int(living), int(gone)

    async def destroy(self, subject: str, erasure_id: str) -> list[str]:
        """Destroy every key of the subject; the same erasure again gives the same answer."""
        told = {"subject": subject, "erasure_id": erasure_id}
        async with away_is_unavailable(), self._engine.begin() as connection:
            await connection.execute(_TURN)
            if not (await connection.execute(_DONE, told)).scalar_one():
                ids = list((await connection.execute(_LIVING, {"subject": subject})).scalars())
                noted = _Noted(erasure_id=erasure_id, ids=ids, subject=subject)
                self._note(noted)
                await self._forget(connection, noted)
                await self._bury(connection, noted)
            return list((await connection.execute(_TOLD, told)).scalars())

    async def rotate(self) -> int:
        """Wrap every living key under a new master key and shred the old: older backups are worthless after it."""
        async with away_is_unavailable(), self._engine.begin() as connection:
            await connection.execute(_ROTATING)
            self._master.renew()
            rows = (await connection.execute(_LIVE)).all()
            secrets = {id: self._master.unwrap(id, bytes(wrapped)) for id, wrapped in rows}
            values = {
                "ids": list(secrets),
                "wrapped": [self._master.wrap(id, secret) for id, secret in secrets.items()],
            }
            await connection.execute(_REWRAP, values)
        self._master.shred()
        return len(rows)

    async def _forget(self, connection: AsyncConnection, noted: _Noted) -> None:
        for id in list((await connection.execute(_FORGET, {"ids": noted.ids})).scalars()):
            await connection.execute(_TELL, {"subject": "", "key_id": id, "erasure_id": noted.erasure_id})

    async def _bury(self, connection: AsyncConnection, noted: _Noted) -> None:
        """Say of the subject as a whole that it was erased, once."""
        told = {"subject": noted.subject, "erasure_id": noted.erasure_id}
        if noted.subject and not (await connection.execute(_DONE, told)).scalar_one():
            await connection.execute(_TELL, {**told, "key_id": ""})

    def _note(self, noted: _Noted) -> None:
        """The list beside the master key MUST be durable before the database forgets."""
        handle = os.open(self._destroyed, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, msgspec.json.encode(noted) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
