"""One run: processes on fresh databases and streams, started, killed at a point, awaited, and read at the end."""

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import psycopg
from e2e.chaos import actors
from e2e.chaos.place import OWNERS, SERVICES, Place, read_notes
from e2e.chaos.reading import checkpoint_size, read, stream_positions
from e2e.chaos.scenario import NotStruckError, Run
from e2e.chaos.yard import Yard, until

from letopis.local.forking import fork
from letopis.local.ports import free_port

VIEWS = {"registry": {"accounts"}, "inference": {"flows", "decision"}}
EVERYBODY = ("owner", "scorer", "chronicle", "writer")


@dataclass(slots=True)
class World:
    """The processes of one run, by role, and what struck them."""

    yard: Yard
    place: Place
    rng: random.Random
    pids: dict[str, int] = field(default_factory=dict)
    strikes: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    asking: dict[str, psycopg.Connection[tuple[Any, ...]]] = field(default_factory=dict)

    @classmethod
    def fresh(cls, yard: Yard, number: int, **options: Any) -> "World":
        """Databases from templates, streams made anew, an empty folder."""
        folder = yard.run
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yard.nats.delete()
        yard.nats.provide()
        place = Place(
            folder=folder,
            seed=number,
            nats_url=yard.nats.url,
            seeds=dict(yard.nats.seeds),
            databases={service: yard.databases.clone(service, None) for service in SERVICES},
            ports={"registry": free_port(), "inference": free_port()},
            **options,
        )
        return cls(yard, place, random.Random(number))

    def start(self, *roles: str, points: str = "", **changed: Any) -> None:
        """Fork these processes; armed, if points are named."""
        place = replace(self.place, **changed)
        for role in roles:
            kind = role.partition(":")[0]
            self.pids[role] = fork(role, place.log(role), partial(actors.act, kind, place, points))

    def kill(self, *roles: str) -> None:
        """Kill -9, and wait until it is dead."""
        for role in roles:
            os.kill(self.pids[role], signal.SIGKILL)
        for role in roles:
            os.waitpid(self.pids.pop(role), 0)

    def ended(self, role: str) -> int | None:
        """The exit code of a process that has ended (minus the signal that killed it), else None."""
        pid, status = os.waitpid(self.pids[role], os.WNOHANG)
        if not pid:
            return None
        del self.pids[role]
        return os.waitstatus_to_exitcode(status)

    def struck(self, role: str, point: str, passing: int) -> None:
        """Start the process with this point armed, and wait for its death exactly there; else NotStruckError."""
        self.start(role, points=f"{point}={passing}")
        code = until(f"the death of {role} at {point}", partial(self._dead, role))
        said = f"fault point {point} struck\n" in self.place.log(role).read_text("utf-8", "replace")
        if code != -signal.SIGKILL or not said:
            raise NotStruckError(f"{role} ended with {code} instead of dying at {point}")
        self.strikes[point] += 1

    def _dead(self, role: str) -> int | None:
        for other in set(self.pids) - {role}:
            if (code := self.ended(other)) is not None and other != "writer":
                raise AssertionError(f"{other} ended with {code}: {self.tail(other)}")
        return self.ended(role)

    def tail(self, role: str) -> str:
        return self.place.log(role).read_text("utf-8", "replace")[-2000:]

    def under_way(self, facts: int = 10) -> None:
        """Wait until load has really begun: facts in both services, and the chronicle has some."""
        until("load", lambda: all(self.head(ledger) > facts for ledger in OWNERS))

    def grown(self, ledger: str, facts: int) -> None:
        """Wait until a ledger has so many facts more."""
        before = self.head(ledger)
        until(f"{facts} facts more in {ledger}", lambda: self.head(ledger) >= before + facts)

    def connect(self, service: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of one's own, as superuser."""
        return self.yard.postgres.connect(self.place.databases[service].name)

    def rows(self, service: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask over the harness's own connection, which is made anew where the server was killed."""
        return until(f"PostgreSQL to answer {query}", partial(self._answer, service, query, values))[0]

    def _answer(self, service: str, query: str, values: tuple[Any, ...]) -> tuple[list[tuple[Any, ...]]] | None:
        try:
            if service not in self.asking:
                self.asking[service] = self.connect(service)
            return (self.asking[service].execute(query, values).fetchall(),)  # type: ignore[arg-type]
        except psycopg.OperationalError:
            if service in self.asking:
                self.asking.pop(service).close()
            return None

    def scalar(self, service: str, query: str, *values: Any) -> Any:
        found = self.rows(service, query, *values)
        return found[0][0] if found else None

    def head(self, ledger: str) -> int:
        return int(self.scalar(OWNERS[ledger], "SELECT head FROM es.ledger WHERE ledger = %s", ledger) or 0)

    def end_load(self) -> None:
        """Every intended command is answered, every acknowledged decision is in the ledger."""
        self.place.stop.touch()
        for role in [role for role in self.pids if role.startswith("writer")]:
            code = until(f"the end of {role}", lambda role=role: _code(self.ended(role)))
            if code != "0":
                raise AssertionError(f"{role} ended with {code}: {self.tail(role)}")
        until("the last decisions shipped", lambda: read_notes(self.place.notes("scored")))

    def settle(self) -> None:
        """Wait until relays, views, reaction, copies and seals stand at the heads of their ledgers."""
        try:
            until("all parts to come to the end", lambda: not self._lacking())
        except TimeoutError as late:
            raise TimeoutError(f"{late}: {self._lacking()}") from None
        heads = self.heads()
        self.kill(*self.pids)
        # Nobody is left who could write on.
        assert heads == self.heads()

    def heads(self) -> dict[str, int]:
        return {ledger: self.head(ledger) for ledger in OWNERS}

    def _lacking(self) -> str:
        """Who has not come to the end yet; empty if nobody."""
        heads = self.heads()
        for service, views in VIEWS.items():
            live = self.rows(service, _LIVE)
            if {view for view, *_ in live} != views or any(heads[ledger] != at for _, ledger, at in live):
                return f"views of {service} at {live} of {heads}"
        reacted = self.scalar("inference", "SELECT position FROM reacting.checkpoint WHERE reaction = 'payout'")
        parked = self.scalar("inference", "SELECT count(*) FROM reacting.parked")
        if reacted != heads["registry"] or parked != self.parked:
            return f"the reaction at {reacted} of {heads['registry']}, {parked} parked"
        copied = dict(self.rows("audit", "SELECT ledger, max(position) FROM copy.record GROUP BY 1"))
        sealed = {ledger: checkpoint_size(self.place, ledger) for ledger in heads}
        if sealed != heads:
            return f"copies at {copied}, sealed at {sealed} of {heads}"
        for ledger, head in heads.items():
            relayed = self.scalar(OWNERS[ledger], "SELECT position FROM outbox.relay WHERE ledger = %s", ledger) or 0
            told = stream_positions(self.yard, ledger)
            if relayed != head or told != [head][: min(head, 1)]:
                return f"the relay of {ledger} at {relayed} of {head}, its stream at {told}"
        return "" if heads == self.heads() else "facts are still coming"

    def verdict(self, *, streams: bool = True) -> Run:
        """The run's end: load ends, parts come to rest, and the one reader looks at everything that is left."""
        self.end_load()
        self.settle()
        return Run(strikes=self.strikes, reading=read(self, streams=streams))

    @classmethod
    @contextmanager
    def of(cls, yard: Yard, number: int, **options: Any) -> Iterator["World"]:
        """A fresh world that leaves nothing behind; if its run fails, the logs are kept."""
        world = cls.fresh(yard, number, **options)
        try:
            yield world
        except TimeoutError:
            world.ask_where()
            raise
        finally:
            world.clear()

    def ask_where(self) -> None:
        """Whoever still runs tells in its log where its tasks wait; a second is enough, or it hangs itself."""
        for pid in self.pids.values():
            os.kill(pid, signal.SIGUSR1)
        time.sleep(1)

    def clear(self) -> None:
        """Nothing of the run is left running, or stored."""
        self.kill(*self.pids)
        for connection in self.asking.values():
            connection.close()
        for database in self.place.databases.values():
            self.yard.databases.drop(database)


def _code(code: int | None) -> str:
    return "" if code is None else str(code)


_LIVE = (
    "SELECT view, ledger, position FROM projecting.view_state JOIN projecting.checkpoint"
    " USING (view, version, generation) WHERE state = 'live'"
)
