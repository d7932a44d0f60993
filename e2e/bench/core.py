"""The event core on durable parts: appending, relaying, reading and rebuilding, beside the bare way.

Both sides get the same finished bytes, take turns on the same server, and are durable when they answer.
"""

import asyncio
from time import perf_counter

from e2e.bench import appending, news
from e2e.bench.parts import Parts, running
from e2e.bench.report import Row, row

from letopis.common.database import open_engine
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.projecting.rebuild import rebuild
from letopis.inference.decision.views import DecisionIndex

FLOOR = 20_000


def measure(seconds: float = 4) -> list[Row]:
    """All rows; every timed stretch lasts about `seconds`, peers as long."""
    with running() as parts:
        appended = asyncio.run(appending.measure(parts, seconds))
        rebuilt = asyncio.run(_rebuilt(parts))
        return [*appended, *news.measure(parts, seconds), rebuilt]


async def _rebuilt(parts: Parts) -> Row:
    """A view of inference from all its decisions, made live."""
    facts = open_engine(parts.inference.app_url, size=2, autocommit=True)
    engine = open_engine(parts.inference.projector_url, size=2)
    source = OwnLedger(PostgresEventStore(facts), "decisions", News())
    begin = perf_counter()
    count = await rebuild(DecisionIndex, {"decisions": source}, engine)
    took = perf_counter() - begin
    await engine.dispose()
    await facts.dispose()
    return row("rebuild", count / took, "facts/s", "the architecture's floor on two cores", FLOOR)
