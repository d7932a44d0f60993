"""Everything the issuer's pages and endpoints share, made once in app.py, and how a person proves who they are."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from letopis.common.clock import Clock
from letopis.local.issuer.clients import Client
from letopis.local.issuer.grants import Pending, RefreshTokens
from letopis.local.issuer.minting import Mint
from letopis.local.issuer.passwords import Throttle, matches
from letopis.local.issuer.people import Person
from letopis.local.issuer.state import SigningKeys, Users
from letopis.local.issuer.totp import SecondFactors

MFA = "mfa"  # the only authentication context (acr) beyond a plain login
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
    factors: SecondFactors
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

    def second_factor(self, person: Person, posted: dict[str, str], *, asked: bool) -> datetime | None:
        """When the second factor was shown, which is now; None if nobody asked. LoginFailed says what to do.

        In a demonstration nobody has one, and asking for it counts as showing it.
        """
        now = self.clock.now()
        if not asked or self.demo:
            return now if asked else None
        what = f"second factor of {person.login}"
        if wait := self.throttle.wait(what, now):
            raise LoginFailed(f"Too many attempts; try again in {int(wait.total_seconds()) + 1} s.")
        typed = posted.get("factor", "").replace(" ", "")
        if not self.factors.passed(person.login, self.users.factor_of(person.login), typed, now):
            self.throttle.failed(what, now)
            raise LoginFailed("The code of your second factor is wrong or was used; wait for the next one.")
        self.throttle.passed(what)
        return now


def asks_for_factor(asked: dict[str, str]) -> bool:
    """Whether a request asks for a second factor (acr_values, OpenID Connect Core 3.1.2.1)."""
    return MFA in asked.get("acr_values", "").split()
