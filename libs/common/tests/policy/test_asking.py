"""Asking the real engine, and every way in which an engine gives no answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from letopis.common.clock import FixedClock
from letopis.common.policy import Object, Policy, Question, Subject, Verdict
from letopis.common.policy.sources import Bundle
from letopis.common.serialization import canonical

NOW = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)
BORIS = Subject(person="boris", login="boris", roles=frozenset({"operator"}))
SEND = Question(
    action="demo.parcel.send",
    subject=BORIS,
    purpose="deliveries",
    object=Object(type="parcel", id="p-1", attributes={"kilograms": 3, "gift": False}),
    facts={"packer": "anna"},
    time=NOW,
)
YES = {
    "allow": True,
    "deny": [],
    "warned": [],
    "observed": [],
    "obligations": [],
    "reasons": {},
    "revision": "r1",
}


@pytest.fixture
async def policy(demo: Bundle, opa_serving: Callable[[Bundle], str]) -> AsyncIterator[Policy]:
    asked = Policy(opa_serving(demo), "demo", FixedClock(NOW), revision=demo.revision)
    yield asked
    await asked.close()


def rules(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


class Engine:
    """A server that answers every request with what it was told; counts them."""

    def __init__(self) -> None:
        self.body, self.status, self.kind, self.asked, self.headers = b"{}", 200, "application/json", 0, ""
        self.silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line.lower()), 0
                )
                await reader.readexactly(length)
                self.asked += 1
                if self.silent:
                    await reader.read()
                writer.write(
                    f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.kind}\r\n{self.headers}"
                    f"Content-Length: {len(self.body)}\r\n\r\n".encode()
                    + self.body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answers(self, result: object) -> None:
        self.body = json.dumps({"result": result}).encode()


@asynccontextmanager
async def engine() -> AsyncIterator[tuple[Engine, str]]:
    served = Engine()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    try:
        yield served, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def asking(url: str, work: Callable[[Policy], Awaitable[Verdict]], *, revision: str = "") -> Verdict:
    policy = Policy(url, "demo", FixedClock(NOW), revision=revision)
    try:
        return await work(policy)
    finally:
        await policy.close()


class TestRealEngine:
    async def test_allows_and_keeps_the_whole_decision(self, policy: Policy, demo: Bundle) -> None:
        verdict = await policy.ask(SEND)
        assert verdict.allow
        assert verdict.answered
        behind = verdict.authorization
        assert behind.revision == demo.revision
        assert behind.action == "demo.parcel.send"
        assert behind.input["context"] == {"time": "2026-11-21T06:55:08.123456Z"}
        assert behind.result["allow"] is True
        assert canonical(behind.input)

    async def test_tells_the_rule_its_owner_and_the_way_on(self, policy: Policy) -> None:
        verdict = await policy.ask(replace(SEND, subject=replace(BORIS, person="anna")))
        assert not verdict.allow
        (reason,) = verdict.reasons
        assert reason.rule == "four_eyes.own_parcel"
        assert reason.owner == "Warehouse control"
        assert reason.remedy == "ask another operator to send it"

    async def test_an_obligation_the_asker_cannot_fulfil_is_a_denial(self, policy: Policy) -> None:
        gift = replace(SEND, object=replace(SEND.object, attributes={"kilograms": 3, "gift": True}))
        refused = await policy.ask(gift)
        assert not refused.allow
        assert rules(refused) == ["obligation.unknown"]
        assert refused.authorization.result["allow"] is False
        allowed = await policy.ask(gift, can=frozenset({"wrap"}))
        assert allowed.allow
        assert allowed.obligations == ({"type": "wrap", "colour": "red"},)

    async def test_an_incomplete_question_is_denied(self, policy: Policy) -> None:
        assert "input.incomplete" in rules(await policy.ask(replace(SEND, purpose="")))
        assert "input.incomplete" in rules(await policy.ask(replace(SEND, facts={})))

    async def test_another_services_action_and_an_unlisted_room_have_no_answer(self, policy: Policy) -> None:
        for action in ("registry.promotion.approve", "demo.letter.send", "demo"):
            verdict = await policy.ask(replace(SEND, action=action))
            assert rules(verdict) == ["policy.undefined"]
            assert not verdict.answered

    async def test_the_engine_is_well(self, policy: Policy) -> None:
        assert await policy.healthy()


class TestNoAnswer:
    """Checklist: fail closed, each fault of the engine caused on a socket."""

    async def test_nobody_listens(self) -> None:
        async with engine() as (_, url):
            pass
        verdict = await asking(url, lambda policy: policy.ask(SEND))
        assert rules(verdict) == ["policy.away"]
        assert verdict.reasons[0].remedy

    async def test_silence_is_a_denial_after_the_deadline(self) -> None:
        async with engine() as (served, url):
            served.silent = True
            assert rules(await asking(url, lambda policy: policy.ask(SEND))) == ["policy.late"]

    @pytest.mark.parametrize(
        ("body", "kind", "rule"),
        [
            (b"{}", "application/json", "policy.undefined"),
            (b"<html>proxy</html>", "text/html", "policy.malformed"),
            (b"<html>proxy</html>", "application/json", "policy.malformed"),
            (b"[]", "application/json", "policy.malformed"),
            (b'{"result": true}', "application/json", "policy.malformed"),
            (b'{"result": null}', "application/json", "policy.malformed"),
            (b'{"result": {"allow": true}}', "application/json", "policy.malformed"),
            (b"", "application/json", "policy.malformed"),
        ],
    )
    async def test_what_is_not_an_answer_denies(self, body: bytes, kind: str, rule: str) -> None:
        async with engine() as (served, url):
            served.body, served.kind = body, kind
            assert rules(await asking(url, lambda policy: policy.ask(SEND))) == [rule]

    @pytest.mark.parametrize(
        "change",
        [
            {"allow": "true"},
            {"allow": 1},
            {"deny": ["four_eyes.own_parcel"]},
            {"obligations": [{"colour": "red"}]},
            {"obligations": {"type": "wrap"}},
            {"extra": 1},
        ],
    )
    async def test_a_yes_of_the_wrong_shape_denies(self, change: dict[str, object]) -> None:
        async with engine() as (served, url):
            served.answers(YES | change)
            assert rules(await asking(url, lambda policy: policy.ask(SEND))) == ["policy.malformed"]

    async def test_the_same_yes_in_shape_allows(self) -> None:
        async with engine() as (served, url):
            served.answers(YES)
            assert (await asking(url, lambda policy: policy.ask(SEND))).allow

    @pytest.mark.parametrize("status", [400, 401, 404, 500, 502, 503])
    async def test_an_error_is_asked_once_and_denies(self, status: int) -> None:
        async with engine() as (served, url):
            served.status = status
            served.answers(YES)
            verdict = await asking(url, lambda policy: policy.ask(SEND))
            assert rules(verdict) == ["policy.away"]
            assert served.asked == 1

    async def test_a_redirect_is_not_followed(self) -> None:
        async with engine() as (real, elsewhere), engine() as (served, url):
            real.answers(YES)
            served.status, served.headers = 307, f"Location: {elsewhere}/v1/data/letopis/demo/authorize\r\n"
            assert not (await asking(url, lambda policy: policy.ask(SEND))).allow
            assert real.asked == 0

    async def test_another_revision_and_none_deny(self) -> None:
        async with engine() as (served, url):
            served.answers(YES)
            assert (await asking(url, lambda policy: policy.ask(SEND), revision="r1")).allow
            assert rules(await asking(url, lambda policy: policy.ask(SEND), revision="r2")) == ["policy.revision"]
            served.answers(YES | {"revision": ""})
            assert rules(await asking(url, lambda policy: policy.ask(SEND))) == ["policy.revision"]


class TestKeptAnswers:
    async def test_a_read_is_asked_again_after_five_seconds(self) -> None:
        clock = FixedClock(NOW)
        async with engine() as (served, url):
            served.answers(YES)
            policy = Policy(url, "demo", clock)
            first = await policy.ask(SEND, read=True)
            clock.at += timedelta(seconds=4.9)
            assert await policy.ask(replace(SEND, time=clock.at), read=True) is first
            assert served.asked == 1
            clock.at += timedelta(seconds=0.1)
            await policy.ask(SEND, read=True)
            assert served.asked == 2
            await policy.close()

    async def test_nothing_else_is_kept(self) -> None:
        async with engine() as (served, url):
            served.answers(YES)
            policy = Policy(url, "demo", FixedClock(NOW))
            await policy.ask(SEND)
            await policy.ask(SEND)
            assert served.asked == 2, "writes are asked every time"
            await policy.ask(SEND, read=True)
            await policy.ask(replace(SEND, purpose="other"), read=True)
            assert served.asked == 4, "another question is another question"
            policy.forget()
            await policy.ask(SEND, read=True)
            assert served.asked == 5, "a revocation clears what was kept"
            served.answers(YES | {"allow": False})
            for _ in range(2):
                await policy.ask(replace(SEND, purpose="third"), read=True)
            assert served.asked == 7, "denials are not kept"
            await policy.close()

    async def test_a_new_revision_clears_what_was_kept(self) -> None:
        async with engine() as (served, url):
            served.answers(YES)
            policy = Policy(url, "demo", FixedClock(NOW))
            await policy.ask(SEND, read=True)
            served.answers(YES | {"revision": "r2"})
            await policy.ask(SEND)
            await policy.ask(SEND, read=True)
            assert served.asked == 3
            await policy.close()
