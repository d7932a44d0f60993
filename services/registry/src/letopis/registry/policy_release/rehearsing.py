"""A rehearsal: the newest recorded decisions of all ledgers, asked again under two sets of changes."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import httpx
import msgspec

from letopis.common.envelope import Record, time_text
from letopis.common.errors import Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.following import News, OwnLedger, Source
from letopis.common.following.door import DoorLedger
from letopis.common.ledgers import LEDGERS, OWNERS
from letopis.common.policy.rehearsal import Recorded
from letopis.common.policy.sources import Bundle
from letopis.registry.policy_release.events import Stretch

PAGE = 1000
PATIENCE = 90.0


class RehearsalFailed(Unavailable):
    """The process that asks again did not come to its end."""

    code = "policy_release.rehearsal_failed"
    title = "The rehearsal could not be carried out; rehearse fewer decisions, or try again"


def sources(
    store: EventStore, http: httpx.AsyncClient, auth: httpx.Auth | None, url_of: Callable[[str], str]
) -> dict[str, Source]:
    """Every ledger where its owner tells it; without a token of its own the registry reads no other's."""
    found: dict[str, Source] = {"registry": OwnLedger(store, "registry", News())}
    if auth is not None:
        doors = {ledger: owner for ledger, owner in OWNERS.items() if ledger not in found}
        found |= {ledger: DoorLedger(http, auth, url_of(owner), ledger, News()) for ledger, owner in doors.items()}
    return found


async def gather(
    ledgers: Mapping[str, Source], newest: int
) -> tuple[list[Recorded], tuple[Stretch, ...], tuple[str, ...]]:
    """Decisions of the newest facts of every ledger, what was read, and whose owners were away."""
    found: dict[str, Recorded] = {}
    stretches, away = [], [ledger for ledger in LEDGERS if ledger not in ledgers]
    for ledger, source in ledgers.items():
        try:
            head = await source.head()
            records = await _newest(source, head, newest)
        except Unavailable:
            away.append(ledger)
            continue
        # A decision stands in every fact that it led to.
        for record in records:
            one = Recorded.of(ledger, record.position, time_text(record.recorded_at), record.meta)
            if one is not None and one.answered:
                found.setdefault(str(one.authorization["authorization_id"]), one)
        stretches.append(Stretch(ledger=ledger, first=max(head - newest, 0) + 1, last=head, head=head))
    return list(found.values()), tuple(stretches), tuple(away)


async def _newest(source: Source, head: int, newest: int) -> list[Record]:
    at = max(head - newest, 0)
    records: list[Record] = []
    while at < head:
        page = await source.read(at, min(PAGE, head - at), sure=True)
        if not page:
            raise Unavailable(f"{source.ledger} ends before its head")
        records += page
        at = page[-1].position
    return records


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
