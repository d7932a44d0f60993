"""A rehearsal: the newest recorded decisions of all ledgers, asked again under two sets of changes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any

import httpx
import msgspec

from letopis.common.errors import Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.policy.rehearsal import Recorded
from letopis.common.policy.sources import Bundle
from letopis.registry.policy_release.events import Stretch

# Where decisions are recorded, by the service that owns the ledger. Of each, so many of the newest facts are read.
LEDGERS = {
    "registry": "registry",
    "features": "features",
    "access": "features",
    "inference": "inference",
    "decisions": "inference",
    "monitoring": "monitoring",
    "audit": "audit",
    "console": "console",
}
PAGE = 1000
PATIENCE = 90.0


class RehearsalFailed(Unavailable):
    """The process that asks again did not come to its end."""

    code = "policy_release.rehearsal_failed"
    title = "The rehearsal could not be carried out; rehearse fewer decisions, or try again"


def recorded(line: Mapping[str, str]) -> Recorded | None:
    """The decision behind a fact, in the shape of a record; None if it carries none that can be asked again."""
    authorization = msgspec.json.decode(line["meta"]).get("authorization")
    if not authorization or not authorization.get("input"):
        return None
    one = Recorded(
        ledger=line["ledger"],
        position=int(line["position"]),
        recorded_at=line["recorded_at"],
        authorization=authorization,
    )
    return one if one.answered else None


async def gather(
    store: EventStore, http: httpx.AsyncClient, auth: httpx.Auth | None, urls: Mapping[str, str], newest: int
) -> tuple[list[Recorded], tuple[Stretch, ...], tuple[str, ...]]:
    """Decisions of the newest facts of every ledger, what was read, and which owners were away."""
    found: dict[str, Recorded] = {}
    stretches, away = [], []
    for ledger, owner in LEDGERS.items():
        try:
            head, lines = await (
                _own(store, ledger, newest) if owner == "registry" else _others(http, auth, urls[owner], ledger, newest)
            )
        except Unavailable:
            away.append(ledger)
            continue
        # A decision stands in every fact that it led to.
        for one in filter(None, map(recorded, lines)):
            found.setdefault(str(one.authorization["authorization_id"]), one)
        stretches.append(Stretch(ledger=ledger, first=max(head - newest, 0) + 1, last=head, head=head))
    return list(found.values()), tuple(stretches), tuple(away)


async def compare(before: Bundle, after: Bundle, decisions: list[Recorded]) -> dict[str, Any]:
    """The difference; RehearsalFailed if it takes too long."""
    lines = [json.dumps({"before": asdict(before), "after": asdict(after)}).encode()]
    lines += [msgspec.json.encode(asdict(one)) for one in decisions]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "letopis.common.policy",
        "rehearse",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            told, complaint = await process.communicate(b"\n".join(lines) + b"\n")
    except TimeoutError as error:
        raise RehearsalFailed(f"it took longer than {PATIENCE:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RehearsalFailed(complaint.decode(errors="replace").strip().rpartition("\n")[2][:500])
    found: dict[str, Any] = json.loads(told)
    return found


async def _own(store: EventStore, ledger: str, newest: int) -> tuple[int, list[dict[str, str]]]:
    from letopis.common.envelope import record_to_json

    head = await store.head(ledger)
    at, lines = max(head - newest, 0), []
    while at < head:
        records = await store.read(ledger, at, min(PAGE, head - at))
        lines += [record_to_json(one) for one in records]
        at = records[-1].position
    return head, lines


async def _others(
    http: httpx.AsyncClient, auth: httpx.Auth | None, url: str, ledger: str, newest: int
) -> tuple[int, list[dict[str, str]]]:
    head = int((await _knock(http, auth, url, ledger, 0, 1)).headers["Letopis-Head"])
    at, lines = max(head - newest, 0), []
    async for page in _pages(http, auth, url, ledger, at, head):
        lines += page
    return head, lines


async def _pages(
    http: httpx.AsyncClient, auth: httpx.Auth | None, url: str, ledger: str, at: int, head: int
) -> AsyncIterator[list[dict[str, str]]]:
    while at < head:
        page = [
            json.loads(line)
            for line in (await _knock(http, auth, url, ledger, at, min(PAGE, head - at))).content.splitlines()
        ]
        if not page:
            raise Unavailable(f"{ledger} ends before its head")
        at = int(page[-1]["position"])
        yield page


async def _knock(
    http: httpx.AsyncClient, auth: httpx.Auth | None, url: str, ledger: str, after: int, limit: int
) -> httpx.Response:
    if auth is None:
        raise Unavailable("the registry has no token of its own here")
    try:
        answer = await http.get(
            f"{url}/v1/ledgers/{ledger}/facts", params={"after": after, "limit": limit}, auth=auth, timeout=30
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"the owner of {ledger} cannot be reached") from error
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"the owner of {ledger} answered {answer.status_code}")
    return answer
