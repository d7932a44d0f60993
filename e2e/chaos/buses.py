"""NATS dies, stays away, loses its store or single streams, lies, and carries what is no news."""

from dataclasses import replace

from e2e.chaos.place import OWNERS, Load, read_notes
from e2e.chaos.scenario import NotStruckError, Run, Scenario
from e2e.chaos.world import EVERYBODY, World
from e2e.chaos.yard import Yard, until

# Ten minutes of a small bank: a command a second, five decisions a second.
MINUTES = Load(commands=600, at_once=6, pause=0.0, batch=30, decisions=3000)


def killed(yard: Yard, number: int) -> Run:
    """Kill -9 under load; its store stays."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        for _ in range(2):
            world.grown("registry", world.rng.randint(2, 8))
            yard.nats.kill()
            world.strikes["kill -9"] += 1
            world.grown("registry", 4)
            yard.nats.start()
        return world.verdict()


def away_for_long(yard: Yard, number: int) -> Run:
    """Away for all the traffic of ten minutes; everything goes on, and the news come later, once and in order."""
    with World.of(yard, number, load=MINUTES) as world:
        world.start("owner", "scorer", "chronicle")
        until("the owners' views", lambda: world.scalar("registry", "SELECT state = 'live' FROM projecting.view_state"))
        yard.nats.kill()
        try:
            world.start("writer")
            until("ten minutes of commands", lambda: world.head("registry") >= 2 * MINUTES.commands)
            until("ten minutes of decisions", lambda: world.head("decisions") >= 5 * MINUTES.commands)
        finally:
            yard.nats.start()
        world.strikes["facts without NATS"] += sum(map(world.head, OWNERS))
        return world.verdict()


def store_lost(yard: Yard, number: int) -> Run:
    """Its whole data directory is gone."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()
        world.grown("registry", world.rng.randint(2, 8))
        yard.nats.kill()
        yard.nats.lose()
        yard.nats.start()
        world.strikes["streams lost"] += sum(name.startswith("LEDGER_") for name in yard.nats.provide())
        world.grown("registry", 4)
        return world.verdict()


def streams_deleted(yard: Yard, number: int) -> Run:
    """Streams deleted at random under load: every read model ends as in the same run without faults."""
    load = Load(commands=60, pause=0.02)
    hashes = []
    for faults in (0, 6):
        with World.of(yard, number, load=load) as world:
            world.start(*EVERYBODY)
            for _ in range(faults):
                world.grown("decisions", world.rng.randint(1, 12))
                gone = world.rng.sample(sorted(OWNERS), world.rng.randint(1, 3))
                yard.nats.delete(gone)
                made = {name for name in yard.nats.provide() if name.startswith("LEDGER_")}
                if made != {f"LEDGER_{ledger}" for ledger in gone}:
                    raise NotStruckError(f"{gone} were to be deleted, {made} had to be made")
                world.strikes["stream"] += len(gone)
            until("all commands", lambda: len(read_notes(world.place.notes("acks"))) == load.commands)
            run = world.verdict()
            hashes.append({view: run.reading.hashes[view] for view in ("accounts", "flows")})
    run.reading.check(hashes[0] == hashes[1], f"the views of a clean run are {hashes[0]}, these are {hashes[1]}")
    return run


def lies(yard: Yard, number: int) -> Run:
    """Consumers hear messages twice, late, in any order, or not at all."""
    with World.of(yard, number, mangled=True) as world:
        world.start(*EVERYBODY)
        world.under_way()
        world.grown("registry", 30)
        run = world.verdict()
        for told in read_notes(world.place.notes("lies")):
            run.strikes.update(lost=told["lost"], doubled=told["doubled"], mixed=int(told["mixed"]))
        return run


def no_news(yard: Yard, number: int) -> Run:
    """Messages that nobody can read stand in every stream, as an owner's mistake would leave them."""
    with World.of(yard, number) as world:
        world.start(*EVERYBODY)
        world.under_way()

        async def publish(js: object) -> None:
            for ledger in OWNERS:
                for body in (b"", b"not json", b'{"position": "1"}'):
                    await js.publish(f"letopis.{ledger}.account.deposited", body)  # type: ignore[attr-defined]

        for _ in range(2):
            yard.nats.as_root(publish)
            world.strikes["no news"] += 3 * len(OWNERS)
            world.grown("registry", 8)
        # The stream has what no ledger has, so only its readers can be right.
        return world.verdict(streams=False)


def poison(yard: Yard, number: int) -> Run:
    """A reaction cannot take one account: that stream waits, others go on; with mended code nothing is missing."""
    with World.of(yard, number) as world:
        world.place = replace(world.place, poison="a0")
        world.start(*EVERYBODY)
        world.under_way()
        until("parked facts", lambda: world.scalar("inference", "SELECT count(*) FROM reacting.parked") >= 3)
        before = world.head("inference")
        until("payouts of others", lambda: world.head("inference") > before + 5)
        poisoned = world.scalar("inference", "SELECT count(*) FROM es.event WHERE stream = 'payout:a0'")
        if poisoned:
            raise NotStruckError(f"{poisoned} payouts of the poisoned account")
        world.strikes["parked"] += world.scalar("inference", "SELECT count(*) FROM reacting.parked")
        world.kill("scorer")
        world.place = replace(world.place, poison="")
        # Mended; it dies between an effect that waited so long and the note that it waits no more.
        world.struck("scorer", "reaction.released", world.rng.randint(1, 3))
        world.start("scorer")
        return world.verdict()


SCENARIOS = [
    Scenario(name="nats killed", proves="kill -9 of NATS under load, twice", play=killed, must=("kill -9",)),
    Scenario(
        name="nats away ten minutes",
        proves="NATS down for ten minutes of traffic (600 commands, 3,000 decisions): all goes on, news come later",
        play=away_for_long,
        must=("facts without NATS",),
    ),
    Scenario(
        name="nats store deleted",
        proves="NATS comes back with an empty data directory; relays publish again from the first fact",
        play=store_lost,
        must=("streams lost",),
    ),
    Scenario(
        name="streams deleted",
        proves="streams deleted at random under load: every read model has the hash of the clean run",
        play=streams_deleted,
        must=("stream",),
    ),
    Scenario(
        name="duplicates and reorders",
        proves="consumers hear messages twice, late, in any order or never",
        play=lies,
        must=("lost", "doubled", "mixed"),
    ),
    Scenario(
        name="no news",
        proves="unreadable messages in every stream stop nobody",
        play=no_news,
        must=("no news",),
    ),
    Scenario(
        name="poison",
        proves="a fact that a reaction cannot take is parked and stops its stream alone; mended, all is paid once",
        play=poison,
        must=("parked", "reaction.released"),
    ),
]
