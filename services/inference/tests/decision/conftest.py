"""Journals for the tests of this room."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from letopis.common.envelope import Actor, Meta, NewFact
from letopis.common.ids import uuid7
from letopis.inference.decision.journal import Journal, Limits

META = Meta(actor=Actor(service="inference"))
ROOMY = Limits(segment_bytes=4096, disk_share=1.1)


@pytest.fixture
def fact() -> Callable[..., NewFact]:
    """Makes a decision's record with random content of some size."""

    def make(size: int = 100) -> NewFact:
        return NewFact(
            event_id=uuid7(),
            type="decisions.decision.made",
            schema_version=1,
            salt=os.urandom(16),
            data=b"{" + os.urandom(size).hex().encode()[: size - 2] + b"}",
            meta=b"{}",
        )

    return make


@pytest.fixture
def written(fact: Callable[..., NewFact]) -> Callable[[Path, list[int]], Awaitable[list[NewFact]]]:
    """Writes a journal with one batch a fact and closes it, as if its worker had ended."""

    async def write(root: Path, sizes: list[int]) -> list[NewFact]:
        journal = Journal(root, limits=ROOMY)
        await journal.open(None, META)
        facts = [fact(size) for size in sizes]
        for one in facts:
            await journal.append([one])
        journal.close()
        return facts

    return write
