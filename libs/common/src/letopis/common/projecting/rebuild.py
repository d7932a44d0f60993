"""Building a view again from the facts, beside the live one; comparing the two, swapping, and returning."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.driver import Connection, driver
from letopis.common.errors import NotFound, Refused, Unavailable
from letopis.common.following.source import Source
from letopis.common.projecting import generation as generations
from letopis.common.projecting import hands
from letopis.common.projecting.comparing import Differences
from letopis.common.projecting.generation import Generation
from letopis.common.projecting.projector import Projector
from letopis.common.projecting.view import View, checked

Sources = Mapping[str, Source]


class ViewDiffers(Refused):
    """The same program's view says something else than the live one: one of the two is wrong."""

    code = "projecting.differs"
    title = "The rebuilt view differs from the live one, which goes on; see the report, then accept the differences"


class RebuildRuns(Refused):
    code = "projecting.rebuild_runs"
    title = "This view is being rebuilt already"


class NothingToReturnTo(Refused):
    code = "projecting.no_return"
    title = "There is no retired generation that this program can make live again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How many facts were folded, what was found, and whether the new generation is live."""

    facts: int
    differences: Differences | None
    live: bool


async def rebuild(view: type[View] | View, sources: Sources, engine: AsyncEngine) -> int:
    """Fold all facts into a fresh schema and make it live unless it differs; how many facts that were."""
    return (await rebuild_compared(view, sources, engine)).facts


async def rebuild_compared(
    view: type[View] | View,
    sources: Sources,
    engine: AsyncEngine,
    *,
    swap: bool = True,
    accept: bool = False,
    report: Callable[[Differences], None] = lambda _: None,
    processes: int = 1,
) -> Rebuilt:
    """Fold all facts into a fresh schema, compare it with the live one, and make it live.

    `engine` is the projector's. The running service goes on with the live view meanwhile and follows the swap.
    Raises Unavailable if a ledger's owner is away: a view built from part of the facts is never made live. Raises
    ViewDiffers where the same version and shape says something else, unless that is accepted; what was built is
    dropped then, as it is without `swap`. A long ledger of a view with shares is folded by several `processes`.
    """
    view = checked(view)

    def judge(told: Differences) -> None:
        report(told)
        if swap and told.count and not (told.expected or accept):
            raise ViewDiffers(f"{told.count:,} rows of {told.view} differ")

    async with _alone(view, engine):
        async with driver(engine) as (connection, _):
            shared = await _shared(connection, view, sources) if processes > 1 else None
            generation = await generations.start(connection, view, hidden=shared is not None)
        done, facts = False, 0
        try:
            if shared is not None:
                facts = await hands.build(view, shared, engine, generation.schema, processes)
                async with driver(engine) as (connection, _):
                    await generations.show(connection, generation, {shared.ledger: shared.until})
            projector = Projector(view, sources, engine, generation=generation, judge=judge)
            with hands.few_collections():
                facts += await _work(projector, swap=swap)
            done = projector.live
        finally:
            if not done:
                await _discard(view, engine, generation)
    return Rebuilt(facts=facts, differences=projector.compared, live=projector.live)


async def give_back(view: type[View] | View, sources: Sources, engine: AsyncEngine) -> Generation:
    """Make the retired generation live again, once it has caught up with the live one, which is retired then."""
    view = checked(view)
    async with _alone(view, engine), driver(engine) as (connection, _):
        retired = await generations.retired_of(connection, view)
        if retired is None or (retired.version, retired.shape) != (view.version, view.shape()):
            other = "" if retired is None else f"; version {retired.version} is there, which its own release returns to"
            raise NothingToReturnTo(f"{view.name} version {view.version} has no retired generation{other}")
        projector = Projector(view, sources, engine, generation=retired)
        taken = False
        while not taken:
            while await projector.step():
                pass
            if projector.away:
                raise Unavailable(f"{', '.join(sorted(projector.away))} cannot be read to its end")
            taken = await projector.take_over()
    return retired


def named(views: tuple[type[View], ...], name: str) -> type[View]:
    """The view a person named on the command line; NotFound names those there are."""
    for view in views:
        if view.name == name:
            return view
    raise NotFound(f"there is no view {name}; there are {', '.join(sorted(one.name for one in views))}")


async def _shared(connection: Connection, view: View, sources: Sources) -> hands.Shared | None:
    """What several processes build: all up to where the live one stands, else to the end of the ledger."""
    if not view.shares:
        return None
    (ledger,) = view.sources
    live = await generations.live_of(connection, view)
    standing = {} if live is None else await generations.positions(connection, live)
    until = standing.get(ledger) or await sources[ledger].head()
    engine = await hands.engine_of(view, sources[ledger], until)
    return None if engine is None else hands.Shared(ledger=ledger, until=until, engine=engine)


async def _work(projector: Projector, *, swap: bool) -> int:
    count = 0
    while not projector.live:
        if projector.settled and not swap:
            break
        moved = await projector.step()
        count += moved
        if not moved and projector.away:
            raise Unavailable(f"{', '.join(sorted(projector.away))} cannot be read to its end")
    return count


async def _discard(view: View, engine: AsyncEngine, generation: Generation) -> None:
    async with driver(engine) as (connection, _):
        for state in ("building", "catching_up"):
            await generations.discard(connection, view, generation.in_state(state))


@asynccontextmanager
async def _alone(view: View, engine: AsyncEngine) -> AsyncIterator[None]:
    """One rebuild of a view at a time; the lock ends with the connection, however this process ends."""
    async with driver(engine) as (connection, _):
        found = await connection.execute(
            "SELECT pg_try_advisory_lock(hashtext('letopis.rebuild'), hashtext(%s))", (view.name,)
        )
        if (await found.fetchone() or (False,))[0] is not True:
            raise RebuildRuns(f"{view.name} is being rebuilt by another process; wait for it, or end it")
        try:
            yield
        finally:
            await connection.execute(
                "SELECT pg_advisory_unlock(hashtext('letopis.rebuild'), hashtext(%s))", (view.name,)
            )
