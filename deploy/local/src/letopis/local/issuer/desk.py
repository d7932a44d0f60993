"""Everything the issuer's pages and endpoints share, made once in app.py, and how a person proves who they are."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from letopis.common.clock import Clock
from letopis.local.issuer.clients import Client
from letopis.local.issuer.grants import Pending, RefreshTokens
from letopis.local.issuer.minting import Mint
from letopis.local.issuer.passwords import Throttle, matches
from letopis.local.issuer.people import Person
from letopis.local.issuer.state import SigningKeys, Users

LOG = logging.getLogger("letopis.issuer")


class LoginFailed(Exception):
    """Nobody was let in; the text is for the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginDesk:
    """One issuer. `demo` means: people are chosen by name, without a password."""

    url: str
    demo: bool
    console_url: str
    clients: Mapping[str, Client]
    users: Users
    keys: SigningKeys
    mint: Mint
    pending: Pending
    refresh: RefreshTokens
    throttle: Throttle
    clock: Clock

    async def admit(self, posted: dict[str, str]) -> Person:
        """The person of a login form; LoginFailed says what to do."""
        login, now = posted.get("login", "").strip(), self.clock.now()
        person = self.users.find(login)
        if self.demo:
            if person is None:
                raise LoginFailed("Choose somebody from the list.")
            return person
        if wait := self.throttle.wait(login, now):
            raise LoginFailed(f"Too many attempts; try again in {int(wait.total_seconds()) + 1} s.")
        # Counted before the slow hash, so that many attempts at once do not slip by.
        self.throttle.failed(login, now)
        right = await asyncio.to_thread(matches, posted.get("password", ""), self.users.password_of(login))
        if person is None or not right:
            LOG.warning("login refused")
            raise LoginFailed("The login or the password is wrong.")
        self.throttle.passed(login)
        return person
