"""Hints over core NATS: one process of a service tells the others at once that its ledger grew.

A lost hint costs the wait for the next poll, no more; what a hint says is never believed, only looked up.
"""

from contextlib import suppress

from letopis.common.following.news import News
from letopis.common.following.source import OwnLedger
from letopis.common.messaging import Bus

QUIET = 60.0


def subject(ledger: str) -> str:
    """Only the owner may publish here."""
    return f"letopis.hint.{ledger}"


async def tell(bus: Bus, news: News, ledger: str) -> None:
    """Say for ever what this process appended; several appends at once are one hint."""
    last = news.last(ledger)
    while True:
        if await news.after(ledger, last, QUIET):
            last = news.last(ledger)
            await (await bus.client()).publish(subject(ledger), str(last).encode())


async def listen(bus: Bus, source: OwnLedger) -> None:
    """Look at the ledger whenever another process says that it grew."""
    subscription = await (await bus.client()).subscribe(subject(source.ledger))
    try:
        async for message in subscription.messages:
            with suppress(ValueError):
                if int(message.data) > source.known:
                    await source.head()
    finally:
        await subscription.unsubscribe()
