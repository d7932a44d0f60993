"""What never changes once registered, kept at hand: versions of bundles and the shapes of their views."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")
MOST = 1000


@dataclass(slots=True)
class Shelf(Generic[V]):
    """By id; only what was found is kept, the oldest goes when it is full."""

    held: dict[str, V] = field(default_factory=dict)

    async def get(self, id: str, load: Callable[[], Awaitable[V]]) -> V:
        found = self.held.get(id)
        if found is None:
            found = await load()
            while len(self.held) >= MOST:
                self.held.pop(next(iter(self.held)), None)
            self.held[id] = found
        return found
