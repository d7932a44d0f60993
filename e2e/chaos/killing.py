"""Kill -9 at every named point of a part, in turn and under load; then at any moment; then two relays at once."""

import os
import signal
from functools import partial

from e2e.chaos.scenario import Run, Scenario
from e2e.chaos.world import EVERYBODY, World
from e2e.chaos.yard import Yard, until

# Part: its process, and its points with the latest passing at which to die; a 1 is a point that is seldom passed.
POINTS: dict[str, tuple[str, dict[str, int]]] = {
    "append": (
        "writer",
        {"handle.not_found": 5, "handle.loaded": 5, "store.connected": 9, "store.answered": 9, "handle.appended": 5},
    ),
    "relay": (
        "owner",
        {
            "relay.locked": 1,
            "relay.begun": 1,
            "relay.read": 5,
            "publishing.staged": 3,
            "relay.published": 5,
            "relay.moved": 5,
        },
    ),
    "telemetry relay": (
        "scorer",
        {"relay.locked": 2, "relay.begun": 2, "relay.read": 5, "relay.published": 5, "relay.moved": 5},
    ),
    "projection": (
        "owner",
        {
            "view.indexed": 1,
            "view.swapped": 1,
            "view.read": 4,
            "view.locked": 4,
            "view.folded": 4,
            "view.written": 4,
            "view.committed": 4,
        },
    ),
    "reaction": ("scorer", {"reaction.read": 3, "reaction.reacted": 5, "reaction.moved": 5}),
    "feed": ("scorer", {"feed.knocked": 1, "feed.heard": 3, "feed.acknowledged": 3}),
    "journal": (
        "scorer",
        {"journal.allocated": 1, "journal.rolled": 1, "journal.written": 5, "journal.synced": 5},
    ),
    "shipper": ("scorer", {"ship.read": 3, "ship.appended": 3, "ship.left": 1, "ship.unlinked": 1}),
    "copy": ("chronicle", {"copy.read": 4, "copy.taken": 4}),
    "sealer": (
        "chronicle",
        {
            "seal.resumed": 4,
            "seal.read": 4,
            "shelf.aside": 6,
            "shelf.renamed": 6,
            "seal.tiled": 3,
            "lock.inserted": 3,
            "seal.locked": 3,
            "seal.published": 3,
        },
    ),
}


def kill_at_each(part: str, yard: Yard, number: int) -> Run:
    """The process of a part dies at each of its points, at a random passing, and begins again."""
    role, points = POINTS[part]
    with World.of(yard, number) as world:
        world.start(*(one for one in EVERYBODY if one != role))
        for point, latest in points.items():
            world.struck(role, point, world.rng.randint(1, latest))
        world.start(role)
        world.grown("inference", 3)
        return world.verdict()


def kill_one_of_each(yard: Yard, number: int) -> Run:
    """In one run every part dies once, at a random one of its points: the short version for every day."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        for part, (role, points) in POINTS.items():
            # What is passed only when a view is first built does not come again.
            point = world.rng.choice([one for one in points if one not in {"view.indexed", "view.swapped"}])
            world.kill(role)
            world.struck(role, point, world.rng.randint(1, points[point]))
            # One death, told by its part: which of its points it was differs from run to run.
            world.strikes[part] += world.strikes.pop(point)
            world.start(role)
        world.grown("inference", 3)
        return world.verdict()


def kill_any_time(yard: Yard, number: int) -> Run:
    """Whoever, at whatever moment: a timer knows nothing of awaits."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        for _ in range(6):
            role = world.rng.choice(EVERYBODY)
            world.grown("registry" if role != "writer" else "decisions", world.rng.randint(1, 8))
            world.kill(role)
            world.strikes["kill -9"] += 1
            world.start(role)
        return world.verdict()


def two_relays(yard: Yard, number: int) -> Run:
    """Two replicas relay one ledger: whoever holds the lock loses its session, or its life, in the middle of work."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY, "second")
        world.under_way()
        for turn in range(6):
            world.grown("registry", world.rng.randint(1, 6))
            if turn == 3:
                world.kill("second")
                world.start("second")
                continue
            holder = until("somebody to hold the relay's lock", partial(_holder, world))
            with world.connect("registry") as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", (holder,))
            until("another session to hold the lock", lambda old=holder: _holder(world) not in {None, old})
            world.strikes["lock lost"] += 1
        return world.verdict()


def _holder(world: World) -> int | None:
    query = (
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND granted"
        " AND d.datname = current_database()"
        " AND objid::bigint = (hashtext('letopis.relay.registry')::bigint & 4294967295)"
    )
    found: int | None = world.scalar("registry", query)
    return found


def frozen_relay(yard: Yard, number: int) -> Run:
    """A relay is frozen and loses its lock, another takes over, and the first one wakes in mid-sentence."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        holder = until("the relay's lock", partial(_holder, world))
        os.kill(world.pids["owner"], signal.SIGSTOP)
        with world.connect("registry") as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", (holder,))
        world.grown("registry", 4)
        world.start("second")
        until("the other one to take over", lambda: _holder(world) not in {None, holder})
        world.grown("registry", 4)
        os.kill(world.pids["owner"], signal.SIGCONT)
        world.strikes["woke without its lock"] += 1
        world.grown("registry", 4)
        return world.verdict()


SCENARIOS = [
    *(
        Scenario(
            name=f"kill {part}",
            proves=f"kill -9 of {role} at {', '.join(points)}: what was acknowledged is there once, and it goes on",
            play=partial(kill_at_each, part),
            must=tuple(points),
        )
        for part, (role, points) in POINTS.items()
    ),
    Scenario(
        name="kill one of each",
        proves="every part dies once in one run, at a random one of its points",
        play=kill_one_of_each,
        must=tuple(POINTS),
    ),
    Scenario(
        name="kill any time",
        proves="kill -9 of a random process at random moments",
        play=kill_any_time,
        must=("kill -9",),
    ),
    Scenario(
        name="two relays",
        proves="two relays of one ledger, the one with the lock losing its session or its life",
        play=two_relays,
        must=("lock lost",),
    ),
    Scenario(
        name="frozen relay",
        proves="a relay wakes after another took over, and publishes nothing twice",
        play=frozen_relay,
        must=("woke without its lock",),
    ),
]
