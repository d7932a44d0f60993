"""Another service's ledger read at its owner's door."""

import asyncio
from collections.abc import Sequence

import httpx

from letopis.common.envelope import Record, records_of_lines
from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.following.news import News

QUIET = 0.25


class DoorLedger:
    """Polls the owner's door; news of the ledger, from whomever, makes it ask at once."""

    def __init__(self, http: httpx.AsyncClient, auth: httpx.Auth, owner: str, ledger: str, news: News) -> None:
        self.ledger = ledger
        self._http = http
        self._auth = auth
        self._url = f"{owner}/v1/ledgers/{ledger}/facts"
        self._news = news
        self._asking = asyncio.Lock()
        # Questions begun and ended, and what the last one was told.
        self._begun = self._ended = 0
        self._told: int | Unavailable = 0

    @property
    def known(self) -> int:
        return self._news.last(self.ledger)

    async def read(self, after: int, limit: int, *, sure: bool = False) -> Sequence[Record]:
        del sure
        answer = await self._knock(after, limit)
        records = records_of_lines(answer.content.splitlines())
        for expected, record in enumerate(records, after + 1):
            if record.position != expected:
                raise LedgerHole(f"{self.ledger}/{expected} is missing", ledger=self.ledger, position=expected)
        if records:
            self._news.heard(self.ledger, records[-1].position)
        return records

    async def head(self) -> int:
        """Those who ask while a question is under way share the next one: many views begin at once.

        They share its failure too, so that an owner who hangs is waited for once, not by each in turn.
        """
        begun = self._begun
        async with self._asking:
            if self._ended <= begun:
                self._begun += 1
                try:
                    self._told = await self._end()
                except Unavailable as error:
                    self._told = error
                self._ended = self._begun
            told = self._told
        if isinstance(told, Unavailable):
            raise Unavailable(told.detail) from told
        return told

    async def _end(self) -> int:
        # After what is known there is hardly anything to carry.
        answer = await self._knock(self.known, 1)
        try:
            return int(answer.headers["Letopis-Head"])
        except (LookupError, ValueError) as error:
            raise Unavailable(f"the owner of {self.ledger} does not tell where it ends") from error

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 a quiet ledger is no error
        await self._news.after(self.ledger, after, min(timeout, QUIET))

    def taken(self, reader: str, position: int) -> None:
        """The door keeps no state of its readers."""

    async def _knock(self, after: int, limit: int) -> httpx.Response:
        try:
            answer = await self._http.get(self._url, params={"after": after, "limit": limit}, auth=self._auth)
        except httpx.HTTPError as error:
            raise Unavailable(f"the owner of {self.ledger} cannot be reached") from error
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"the owner of {self.ledger} answered {answer.status_code}")
        return answer
