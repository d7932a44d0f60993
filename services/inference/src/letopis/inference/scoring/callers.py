"""Who scores, kept in memory, so that a consumer goes on while PostgreSQL is away and stops when it must."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from letopis.common.errors import Unavailable
from letopis.common.identity.caller import Principal
from letopis.common.identity.directory import Directory

EVERY = 0.5
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Callers:
    """Principals of the consumers seen; `changed` hears of a login whose facts changed."""

    directory: Directory
    changed: Callable[[str], None]
    known: dict[str, Principal] = field(default_factory=dict)

    async def find(self, login: str) -> Principal | None:
        """The principal; None if no fact registered the login. Strangers are not kept."""
        principal = self.known.get(login)
        if principal is None:
            principal = await self.directory.find(login)
            if principal is not None:
                self.known[login] = principal
        return principal

    async def refresh(self) -> None:
        """Read everybody seen again; a change ends what rests on the old facts."""
        for login, before in list(self.known.items()):
            now = await self.directory.find(login)
            if now != before:
                self.known.pop(login, None)
                self.changed(login)

    async def run(self) -> None:
        """Refresh twice a second, for ever; while the directory is away, the last known state holds."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.refresh()
            except Unavailable as away:
                _log.warning("principals cannot be read again: %s", away.detail)
