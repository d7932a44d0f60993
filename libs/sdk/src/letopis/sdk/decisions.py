"""Recorded policy decisions: found by position or by number, asked again under the very revision that answered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from letopis.common.ledgers import OWNERS
from letopis.common.policy.amending import amended
from letopis.common.policy.bundle import verify_bundle
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import Recorded, Replay, replay
from letopis.common.policy.sources import Bundle, bundle_of, collect
from letopis.sdk.client import Letopis
from letopis.sdk.problems import Forbidden, NotFound, Problem, Unavailable

PAGE = 1000
# A decision is recorded soon after it was taken; by a clock of another machine.
SOON_MS = 120_000


def facts(client: Letopis, ledger: str, after: int, limit: int = PAGE) -> list[dict[str, str]]:
    """Stored facts as the owner's door tells them."""
    service = getattr(client, OWNERS[ledger])
    told: bytes = service.download(f"/v1/ledgers/{ledger}/facts", after=after, limit=limit)
    return [json.loads(line) for line in told.splitlines()]


def at(client: Letopis, ledger: str, position: int) -> dict[str, str]:
    """One fact; NotFound if the ledger does not reach so far."""
    found = facts(client, ledger, position - 1, 1) if position > 0 else []
    if not found:
        raise _missing(f"{ledger}/{position}")
    return found[0]


def numbered(client: Letopis, number: UUID, ledgers: tuple[str, ...] = tuple(OWNERS)) -> dict[str, str]:
    """The first fact that carries this authorization, or is this event; both numbers tell their time.

    NotFound if no ledger that the reader may read has it; Unavailable if a ledger that may have it is away.
    """
    away: Unavailable | None = None
    for ledger in ledgers:
        try:
            found = _search(client, ledger, number)
        except Forbidden:
            continue
        except Unavailable as problem:
            away = problem
            continue
        if found is not None:
            return found
    raise away or _missing(str(number))


def beside(ledger: str) -> tuple[str, ...]:
    """The ledger and the others of its owner: rows of a file are scored under the fact that began the job."""
    return (ledger, *(one for one, owner in OWNERS.items() if owner == OWNERS[ledger] and one != ledger))


def decisions(client: Letopis, ledger: str, first: int, last: int) -> Iterator[Recorded]:
    """The decisions that facts carry between two positions, each once."""
    seen, after = set(), first - 1
    while after < last and (page := facts(client, ledger, after, min(PAGE, last - after))):
        after = int(page[-1]["position"])
        for fact in page:
            one = recorded(fact)
            if one is not None and one.authorization["authorization_id"] not in seen:
                seen.add(one.authorization["authorization_id"])
                yield one


def recorded(fact: dict[str, str]) -> Recorded | None:
    """The decision behind a fact; None where there is none, or a lease stands for it."""
    return Recorded.of(fact["ledger"], int(fact["position"]), fact["recorded_at"], fact["meta"])


@dataclass(slots=True)
class Revisions:
    """Engines by revision: what is installed here, releases published over it, and a bundle that was given."""

    client: Letopis
    given: Bundle | None = None
    engines: dict[str, Engine | None] = field(default_factory=dict)

    @classmethod
    def of(cls, client: Letopis, bundle: Path | None, key: Path | None) -> "Revisions":
        """A bundle given as a file is verified by the key, as an engine would."""
        given = verify_bundle(bundle, key.read_bytes()) if bundle is not None and key is not None else None
        return cls(client, given)

    def replay(self, one: Recorded) -> Replay | None:
        """The decision asked again; None where nobody here has its revision."""
        revision = one.authorization["revision"]
        if revision not in self.engines:
            bundle = self._bundle(revision)
            self.engines[revision] = Engine(bundle) if bundle is not None else None
        engine = self.engines[revision]
        return replay(engine, one.authorization) if engine is not None else None

    def close(self) -> None:
        for engine in self.engines.values():
            if engine is not None:
                engine.close()

    def _bundle(self, revision: str) -> Bundle | None:
        if self.given is not None and self.given.revision == revision:
            return self.given
        rooms = collect()
        base = bundle_of(rooms)
        if base.revision == revision:
            return base
        for release in self.client.registry.get("/v1/policy-releases"):
            if (release["revision"], release["base"]) == (revision, base.revision):
                return amended(rooms, release["changes"])
        return None


def _search(client: Letopis, ledger: str, number: UUID) -> dict[str, str] | None:
    """Half by half to the time that the number tells, then one by one."""
    from letopis.common.envelope import time_of

    def stamp(fact: dict[str, str]) -> int:
        return int(time_of(fact["recorded_at"]).timestamp() * 1000)

    taken = number.int >> 80
    low, high = 0, 1
    while (page := facts(client, ledger, high - 1, 1)) and stamp(page[0]) < taken - SOON_MS:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        page = facts(client, ledger, middle - 1, 1)
        low, high = (middle, high) if page and stamp(page[0]) < taken - SOON_MS else (low, middle)
    while page := facts(client, ledger, low, PAGE):
        for fact in page:
            authorization = json.loads(fact["meta"]).get("authorization") or {}
            if str(number) in {fact["event_id"], authorization.get("authorization_id")}:
                return fact
            if stamp(fact) > taken + SOON_MS:
                return None
        low = int(page[-1]["position"])
    return None


def _missing(what: str) -> Problem:
    return NotFound(
        {
            "status": 404,
            "code": "decision.not_found",
            "title": "No such decision is recorded where you may look",
            "detail": what,
        }
    )


def told(authorization: dict[str, Any]) -> list[str]:
    """A decision in words: who asked what, what was said, by which rule, whose it is and how to go on."""
    asked, result = authorization["input"], authorization["result"]
    who, thing = asked["subject"], asked["object"]
    purpose = f", for {asked['purpose']}" if asked["purpose"] else ""
    lines = [
        f"{who['person'] or who['login']} asked for {asked['action']} on {thing['type']} {thing['id']}{purpose}",
        f"roles {', '.join(who['roles']) or 'none'}; groups {', '.join(who['groups']) or 'none'}",
        f"policy {authorization['revision'] or 'unknown'} said {'yes' if result['allow'] else 'no'}",
    ]
    for kind, word in (("deny", "refused by"), ("warned", "warned by"), ("observed", "observed by")):
        for rule in result[kind]:
            lines.append(f"  {word} {rule}")
            reason = result["reasons"].get(rule)
            if reason:
                lines += [f"    {reason['message']}", f"    owner: {reason['owner']}", f"    do: {reason['remedy']}"]
    if result["allow"]:
        lines += [f"  obliged to {json.dumps(one, sort_keys=True)}" for one in result["obligations"][:20]]
    return lines
