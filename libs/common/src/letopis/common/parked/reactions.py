"""What two people agreed upon happens: the parked fact is tried again or passed over, and its stream goes on."""

from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.parked.events import ReleaseAgreed, parked_facts
from letopis.common.parked.shelf import ParkedShelf
from letopis.common.projecting.told import Told
from letopis.common.reacting import Reaction

NAME = "release_parked"


def releases(ledger: str, engine: AsyncEngine) -> Reaction:
    """The reaction to the service's own releases; the reaction that parked the fact notices within a second."""
    shelf = ParkedShelf(engine)

    async def react(told: Told) -> None:
        fact = told.fact
        if isinstance(fact, ReleaseAgreed):
            await shelf.release(fact.way, fact.reaction, fact.ledger, fact.position)

    return Reaction(name=NAME, sources={ledger: parked_facts(ledger)}, react=react)
