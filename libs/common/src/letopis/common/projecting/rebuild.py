"""Building a view again from the facts, beside the live one, and swapping it in."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.driver import driver
from letopis.common.errors import NotFound, Unavailable
from letopis.common.following.source import Source
from letopis.common.projecting import generation as generations
from letopis.common.projecting.projector import Projector
from letopis.common.projecting.view import View, checked


async def rebuild(view: type[View] | View, sources: Mapping[str, Source], engine: AsyncEngine) -> int:
    """Fold all facts into a fresh schema and make it live; how many facts that were.

    `engine` is the projector's. The running service goes on with the live view meanwhile and follows the swap.
    Raises Unavailable if a ledger's owner is away: a view built from part of the facts is never made live.
    """
    view = checked(view)
    async with driver(engine) as (connection, _):
        generation = await generations.start(connection, view)
    projector = Projector(view, sources, engine, generation=generation)
    count = 0
    while not projector.live:
        moved = await projector.step()
        count += moved
        if not moved and projector.away:
            raise Unavailable(f"{', '.join(sorted(projector.away))} cannot be read to its end")
    return count


def named(views: tuple[type[View], ...], name: str) -> type[View]:
    """The view a person named on the command line; NotFound names those there are."""
    for view in views:
        if view.name == name:
            return view
    raise NotFound(f"there is no view {name}; there are {', '.join(sorted(one.name for one in views))}")
