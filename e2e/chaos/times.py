"""Clocks that are wrong."""

import msgspec
from e2e.chaos.reading import stored
from e2e.chaos.scenario import Run, Scenario
from e2e.chaos.world import EVERYBODY, World
from e2e.chaos.yard import Yard

HOUR = 3600.0


def hour_off(yard: Yard, number: int) -> Run:
    """All services are an hour ahead, or behind; facts take the database's time, and their order needs none."""
    off = HOUR if number % 2 else -HOUR
    with World.of(yard, number, clock_off=off) as world:
        world.start(*EVERYBODY)
        world.under_way()
        world.grown("registry", 30)
        run = world.verdict()
        for record in stored(world, "decisions"):
            if record.type != "decisions.lease.granted":
                continue
            until = msgspec.convert(msgspec.json.decode(record.data)["not_after"], type=type(record.recorded_at))
            # The lease ends 300 s after the wrong clock's now; the fact itself stands at the right time.
            run.strikes["lease by the wrong clock"] += abs((until - record.recorded_at).total_seconds() - off) < 600
        return run


SCENARIOS = [
    Scenario(
        name="clock an hour off",
        proves="services an hour ahead or behind: facts have the database's time, nothing is lost or out of order",
        play=hour_off,
        must=("lease by the wrong clock",),
    ),
]
