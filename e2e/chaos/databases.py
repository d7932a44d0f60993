"""PostgreSQL dies: before COMMIT, after it and before the answer, with all backends, with one; a thousand races."""

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial

from e2e.chaos.place import read_notes
from e2e.chaos.sample import MONEY, Charged
from e2e.chaos.scenario import NotStruckError, Run, Scenario
from e2e.chaos.world import EVERYBODY, World
from e2e.chaos.yard import Yard, until

from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Authorization, Meta, encode_meta
from letopis.common.errors import Conflict
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.handling import new_fact
from letopis.common.ids import uuid7

GATE = 4711
ROUNDS = 1000
# A deferred trigger is the last thing that happens before a transaction's COMMIT is written.
_TRAP = f"""
CREATE FUNCTION public.chaos_gate() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER chaos_gate AFTER INSERT ON es.command DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.chaos_gate()
"""
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = %s"
    " AND query LIKE '%%es.append%%'"
)


def before_commit(yard: Yard, number: int) -> Run:
    """Appends stand in the middle of COMMIT, nothing of it durable, and every process of the server is killed."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        with world.connect("registry") as connection:
            connection.execute(_TRAP)
            connection.execute("SELECT pg_advisory_lock(%s)", (GATE,))
            until("an append in its COMMIT", lambda: connection.execute(_WAITING, ("advisory",)).fetchone()[0])
            acknowledged = len(read_notes(world.place.notes("acks")))
            world.strikes["COMMIT"] += connection.execute(_WAITING, ("advisory",)).fetchone()[0]
            world.strikes["processes"] += yard.postgres.kill()
        yard.postgres.start()
        with world.connect("registry") as connection:
            connection.execute("DROP FUNCTION public.chaos_gate CASCADE")
        until("acknowledgements after it", lambda: len(read_notes(world.place.notes("acks"))) > acknowledged + 3)
        return world.verdict()


def after_commit(yard: Yard, number: int) -> Run:
    """Appends are durable and not yet answered: the server waits for a standby that does not exist, and is killed."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        with yard.postgres.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            connection.execute("SELECT pg_reload_conf()")
        with world.connect("registry") as connection:
            until("an append behind its COMMIT", lambda: connection.execute(_WAITING, ("SyncRep",)).fetchone()[0])
            acknowledged = len(read_notes(world.place.notes("acks")))
            world.strikes["processes"] += yard.postgres.kill()
        (yard.folder / "postgres" / "postgresql.auto.conf").write_text("", "ascii")
        yard.postgres.start()
        promised = {one["id"] for one in read_notes(world.place.notes("acks"))[:acknowledged]}
        with world.connect("registry") as connection:
            durable = {str(row[0]) for row in connection.execute("SELECT command_id FROM es.command").fetchall()}
        # Those have happened although nobody was told; asked again they MUST NOT happen again.
        world.strikes["durable, not answered"] += len(durable - promised)
        until("acknowledgements after it", lambda: len(read_notes(world.place.notes("acks"))) > acknowledged + 3)
        return world.verdict()


def server_killed(yard: Yard, number: int) -> Run:
    """Kill -9 of the postmaster and all backends under load, twice."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        for _ in range(2):
            world.grown("registry", world.rng.randint(2, 8))
            world.strikes["processes"] += yard.postgres.kill()
            yard.postgres.start()
        world.grown("registry", 4)
        return world.verdict()


def backend_killed(yard: Yard, number: int) -> Run:
    """Kill -9 of one busy backend: the server throws everybody out and recovers."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        for _ in range(3):
            pid = until("a busy backend", partial(_busy, world))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                world.strikes["backend"] += 1
            world.grown("registry", 4)
        return world.verdict()


def _busy(world: World) -> int | None:
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " ORDER BY (state = 'active') DESC, state_change DESC LIMIT 1"
    )
    found: int | None = world.scalar("registry", query)
    return found


def races(yard: Yard, number: int) -> Run:
    """A thousand times four writers append to one stream at the same version: one wins, three are told."""
    with World.of(yard, number) as world:
        world.start("owner", "scorer", "chronicle")
        won, lost = asyncio.run(_race(world))
        if (won, lost) != (ROUNDS, 3 * ROUNDS):
            raise NotStruckError(f"{won} won and {lost} lost of {ROUNDS} races of four")
        world.strikes["race"] += ROUNDS
        return world.verdict()


async def _race(world: World) -> tuple[int, int]:
    url = world.place.databases["registry"].app_url
    engines = [open_engine(url, autocommit=True, size=1) for _ in range(4)]
    stores = [PostgresEventStore(engine) for engine in engines]
    allowed = Authorization(input={}, result={"allow": True})
    meta = encode_meta(Meta(actor=Actor(person="anna"), authorization=allowed))
    won = lost = 0
    try:
        for version in range(ROUNDS):
            fact = [new_fact(MONEY, Charged(account="race", amount=1), meta) for _ in stores]
            told = await asyncio.gather(
                *(
                    store.append("registry", "account:race", version, [one], uuid7(), b"h")
                    for store, one in zip(stores, fact, strict=True)
                ),
                return_exceptions=True,
            )
            won += sum(not isinstance(one, BaseException) for one in told)
            lost += sum(isinstance(one, Conflict) for one in told)
    finally:
        for engine in engines:
            await engine.dispose()
    return won, lost


SCENARIOS = [
    Scenario(
        name="postgres before commit",
        proves="all of PostgreSQL killed while appends stand in COMMIT: what is asked again is there once",
        play=before_commit,
        must=("COMMIT", "processes"),
    ),
    Scenario(
        name="postgres after commit",
        proves="killed when appends were durable and not yet answered: asked again, the first answer",
        play=after_commit,
        must=("durable, not answered", "processes"),
    ),
    Scenario(
        name="postgres killed",
        proves="kill -9 of the postmaster and all backends under load",
        play=server_killed,
        must=("processes",),
    ),
    Scenario(
        name="backend killed",
        proves="kill -9 of one backend; the server restarts all others",
        play=backend_killed,
        must=("backend",),
    ),
    Scenario(
        name="races",
        proves="1,000 races of four on one stream: one winner each, the others told",
        play=races,
        must=("race",),
    ),
]
