"""The only place that talks to OPA. No answer, a late one, a strange one or one of another revision is a denial."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from letopis.common.clock import Clock
from letopis.common.errors import Reason
from letopis.common.ids import uuid7
from letopis.common.policy.verdict import Malformed, Question, Verdict, read_answer, unanswered, verdict_of
from letopis.common.serialization import canonical

if TYPE_CHECKING:
    from letopis.common.policy.in_force import InForce

_log = logging.getLogger("letopis.policy")

DEADLINE = 0.25
KEPT_FOR = timedelta(seconds=5)
KEPT_AT_MOST = 4096

_OPERATORS = "the operators of this installation"
_REASONS = {
    "policy.away": ("the policy engine cannot be reached", "try again shortly; operators: `letopis status`"),
    "policy.late": ("the policy engine did not answer in time", "try again shortly; operators: `letopis status`"),
    "policy.undefined": ("no policy answers for this action", "report it: the published policy lacks a room"),
    "policy.malformed": ("the policy engine's answer is not one of ours", "operators: check what listens there"),
    "policy.revision": ("the policy engine holds another revision than the one in force", "try again shortly"),
}


class _Client(AsyncOpaClient):  # type: ignore[misc]  # the client has no types
    """The client without redirects: an answer from elsewhere is no answer, and our token stays here."""

    def _request(self, method: str, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        request: AbstractAsyncContextManager[Any] = super()._request(method, url, allow_redirects=False, **options)
        return request


@dataclass(frozen=True, slots=True)
class _Kept:
    verdict: Verdict
    at: datetime


class Policy:
    """Asks one service's policy at `/v1/data/letopis/<service>/authorize`.

    `revision`, when given, is the only one whose answers count; `in_force` says so where releases of policy are
    followed. An allow of a read may be given again for at
    most 5 s to the same question of the same revision; a write is always asked anew.
    """

    def __init__(
        self,
        opa_url: str,
        service: str,
        clock: Clock,
        *,
        revision: str = "",
        token: str = "",
        in_force: "InForce | None" = None,
    ) -> None:
        self.service, self.revision = service, revision
        self._in_force = in_force
        self._clock = clock
        self._options = _options(opa_url) | {"token": token or None, "retries": 0, "timeout": DEADLINE}
        self._client: _Client | None = None
        self._opening = asyncio.Lock()
        self._seen = ""
        self._kept: dict[tuple[object, ...], _Kept] = {}
        self._count: Callable[[str], None] = _nobody
        self._silent = ""

    async def ask(self, question: Question, *, can: frozenset[str] = frozenset(), read: bool = False) -> Verdict:
        """The verdict; never raises for what the engine does. `can` names the obligations the asker fulfils."""
        if not read:
            return self._noted(await self._ask(question.input(), can))
        key = _key(question, can)
        if (kept := self._remembered(key)) is not None:
            return kept
        verdict = self._noted(await self._ask(question.input(), can))
        if verdict.allow:
            self._remember(key, verdict)
        return verdict

    def count_by(self, count: Callable[[str], None]) -> None:
        """Tell `count` the rule of every question that the engine gave no answer to."""
        self._count = count

    def forget(self) -> None:
        """Give no earlier answer again; called when a revocation is heard."""
        self._kept.clear()

    async def healthy(self) -> bool:
        """Whether the engine says it is well."""
        try:
            async with asyncio.timeout(DEADLINE * 4):
                return bool(await (await self._open()).check_health())
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False

    async def close(self) -> None:
        if self._in_force is not None:
            await self._in_force.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close_connection()

    async def _ask(self, asked: dict[str, Any], can: frozenset[str]) -> Verdict:
        authorization_id = str(uuid7())
        if not asked["action"].startswith(f"{self.service}."):
            return _none("policy.undefined", asked, authorization_id)
        try:
            async with asyncio.timeout(DEADLINE):
                client = await self._open()
                document = await client.query_rule(asked, f"letopis.{self.service}", "authorize")
        except TimeoutError:
            return _none("policy.late", asked, authorization_id)
        except (aiohttp.ContentTypeError, ValueError):
            return _none("policy.malformed", asked, authorization_id)
        except (aiohttp.ClientError, OSError):
            return _none("policy.away", asked, authorization_id)
        return await self._read(document, asked, authorization_id, can)

    async def _read(self, document: Any, asked: dict[str, Any], authorization_id: str, can: frozenset[str]) -> Verdict:
        if not isinstance(document, Mapping):
            return _none("policy.malformed", asked, authorization_id)
        # OPA and the client alike tell undefined by leaving the result out.
        if "result" not in document:
            return _none("policy.undefined", asked, authorization_id)
        try:
            answer = read_answer(document["result"])
        except Malformed:
            return _none("policy.malformed", asked, authorization_id)
        if not await self._counts(answer.revision):
            return _none("policy.revision", asked, authorization_id, answer.revision)
        if answer.revision != self._seen:
            self._kept.clear()
            self._seen = answer.revision
        return verdict_of(answer, asked, authorization_id, can=can)

    async def _counts(self, revision: str) -> bool:
        if revision and self._in_force is not None:
            return await self._in_force.counts(revision)
        return bool(revision) and self.revision in {"", revision}

    async def _open(self) -> _Client:
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    client = _Client(**self._options)
                    await client.__aenter__()
                    self._client = client
        return self._client

    def _noted(self, verdict: Verdict) -> Verdict:
        """Counted every time, written into the log when it begins and when it is over."""
        rule = "" if verdict.answered else verdict.reasons[0].rule
        if rule:
            self._count(rule)
        if rule not in {self._silent, "policy.undefined"}:
            if rule:
                _log.error("policy gives no answer, every question is denied", extra={"rule": rule})
            else:
                _log.warning("policy answers again", extra={"revision": verdict.authorization.revision})
            self._silent = rule
        return verdict

    def _remembered(self, key: tuple[object, ...]) -> Verdict | None:
        kept = self._kept.get(key)
        if kept is None or not timedelta() <= self._clock.now() - kept.at < KEPT_FOR:
            return None
        return kept.verdict

    def _remember(self, key: tuple[object, ...], verdict: Verdict) -> None:
        now = self._clock.now()
        if len(self._kept) >= KEPT_AT_MOST:
            self._kept = {one: kept for one, kept in self._kept.items() if now - kept.at < KEPT_FOR}
        if len(self._kept) < KEPT_AT_MOST:
            self._kept[key] = _Kept(verdict, now)


def _nobody(_: str) -> None:
    """Counts for no one."""


def _key(question: Question, can: frozenset[str]) -> tuple[object, ...]:
    """All of a question but its time; two that are equal get the same answer."""
    thing = question.object
    return (
        question.action,
        question.subject,
        question.purpose,
        (thing.type, thing.id, thing.tenant),
        canonical(thing.attributes) if thing.attributes else b"",
        canonical(question.facts) if question.facts else b"",
        can,
    )


def _none(rule: str, asked: dict[str, Any], authorization_id: str, revision: str = "") -> Verdict:
    message, remedy = _REASONS[rule]
    reason = Reason(rule=rule, owner=_OPERATORS, message=message, remedy=remedy)
    return unanswered(reason, asked, authorization_id, revision)


def _options(opa_url: str) -> dict[str, Any]:
    parts = urlsplit(opa_url)
    secure = parts.scheme == "https"
    return {"host": parts.hostname or "127.0.0.1", "port": parts.port or (443 if secure else 80), "ssl": secure}
