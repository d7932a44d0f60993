"""The stop table of the architecture on a whole stack: a part is held away, every door is asked, the part comes back.

The supervisor is frozen meanwhile, so that nobody brings the part back early; a connection to it is refused.
"""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from e2e.chaos.reading import Reading, ordered
from e2e.chaos.scenario import Run, Scenario
from e2e.chaos.yard import Yard
from e2e.journey.people import CONSUMER
from e2e.journey.world import World
from e2e.stacks import SERVICES, Stack, running
from psycopg.rows import dict_row

from letopis.common.envelope import Record

SCORE, LOOKED_UP, ONLINE, WRITE, DEPLOY, QUERY, AUDIT = (
    "scoring",
    "scoring with looked-up features",
    "online read",
    "promotion",
    "deployment",
    "offline read",
    "audit read",
)
ACCOUNTS = 300
OK, AWAY, DENIED = "goes on", "503", "denied"
EVERYTHING_GOES_ON = dict.fromkeys((SCORE, LOOKED_UP, ONLINE, WRITE, QUERY, AUDIT), OK)

# Part: what each door answers while it is away.
TABLE: Mapping[str, Mapping[str, str]] = {
    "postgres": {SCORE: OK, LOOKED_UP: OK, ONLINE: OK, WRITE: AWAY, DEPLOY: AWAY, QUERY: AWAY, AUDIT: AWAY},
    "nats": EVERYTHING_GOES_ON,
    "opa": {SCORE: OK, LOOKED_UP: OK, ONLINE: OK, WRITE: DENIED, DEPLOY: DENIED, QUERY: DENIED, AUDIT: DENIED},
    "issuer": EVERYTHING_GOES_ON,
    "valkey": {SCORE: OK, ONLINE: "MISSING", WRITE: OK, QUERY: OK, AUDIT: OK},
    "registry": {SCORE: OK, LOOKED_UP: OK, ONLINE: OK, WRITE: AWAY, QUERY: OK, AUDIT: OK},
    "features": {SCORE: OK, LOOKED_UP: AWAY, ONLINE: AWAY, WRITE: OK, QUERY: AWAY, AUDIT: OK},
    "audit": {SCORE: OK, LOOKED_UP: OK, ONLINE: OK, WRITE: OK, QUERY: OK, AUDIT: AWAY},
}


@dataclass(slots=True)
class Table:
    """A stack on which models are served, and what its doors answered."""

    stack: Stack
    world: World
    bundle: str
    strikes: Counter[str] = field(default_factory=Counter)
    found: dict[tuple[str, str], str] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    groups: dict[str, bool] = field(default_factory=dict)

    @contextmanager
    def away(self, part: str) -> Iterator[None]:
        """The part is dead, and stays so until the end."""
        keeper = msgspec.json.decode((self.stack.data / "run" / "stack.json").read_bytes())["pid"]
        pid = self.stack.part(part)["pid"]
        os.kill(keeper, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            self.world.until(f"the death of {part}", lambda: _dead(pid))
            self.strikes[part] += 1
            yield
        finally:
            os.kill(keeper, signal.SIGCONT)
            self.world.until(f"{part} to be ready again", lambda: self._back(part, pid))

    def _back(self, part: str, before: int) -> bool:
        told = self.stack.part(part)
        return told["state"] == "ready" and told["pid"] != before

    def warm(self) -> None:
        """Leases are held and tokens fresh, as in a system that has been working."""
        for door in (SCORE, LOOKED_UP, ONLINE, WRITE, QUERY, AUDIT):
            self.world.until(f"{door} to work", lambda door=door: self.ask(door) == OK)

    def strike(self, part: str) -> None:
        """Ask every door of the part's row while it is away."""
        self.warm()
        with self.away(part):
            for door in TABLE[part]:
                self.found[part, door] = self.ask(door)
        self.warm()

    def ask(self, door: str) -> str:
        """What a door answers now: goes on, 503, denied, or another status with its words."""
        # With the journey comes Arrow, whose threads must not be there before the other scenarios have forked.
        from e2e.journey.data import FEATURES

        row = {"account_id": "7", **dict.fromkeys(FEATURES, 1)}
        match door:
            case "scoring":
                return self._scored(row)
            case "scoring with looked-up features":
                return self._scored({"account_id": "7"})
            case "online read":
                path = f"/v1/online/{self.bundle}"
                return _online(self._send("service:inference", "POST", "features", path, {"entities": ["7"]}))
            case "promotion":
                group = f"chaos-{uuid4()}"
                told = _told(self._send("olga", "POST", "registry", "/v1/principals/oleg/groups", {"group": group}))
                self.groups[group] = told == OK
                return told
            case "deployment":
                body = {"application": "cards", "api_version": "v9", "version_id": "nothing.1", "consumers": [CONSUMER]}
                return _told(self._send("olga", "POST", "inference", "/v1/deployments", body))
            case "offline read":
                question = {"sql": "SELECT count(*) AS n FROM panel"}
                return _told(self._send("anna", "POST", "features", "/v1/queries", question))
            case _:
                return _told(self._send("rita", "GET", "audit", "/v1/proofs/inclusion?ledger=registry&position=1"))

    def _scored(self, row: dict[str, Any]) -> str:
        answer = self._send(CONSUMER, "POST", "inference", "/v1/score/cards/v1", row)
        told = _told(answer)
        if told == OK:
            self.decisions.append(answer.json()["decision_id"])
        return told

    def _send(self, login: str, method: str, service: str, path: str, body: Any = None) -> httpx.Response:
        from e2e.journey.data import PURPOSE

        headers = {"authorization": f"Bearer {self.world[login].token}", "letopis-purpose": PURPOSE}
        if method == "POST":
            headers["idempotency-key"] = str(uuid4())
        sent = {} if body is None else {"json": body}
        try:
            return self.world.http.request(method, self.world.urls[service] + path, headers=headers, **sent)
        except httpx.TransportError as error:
            # The service itself is the part that is away; whoever stands before it says 503.
            return httpx.Response(503, json={"detail": str(error)})

    def read(self) -> Reading:
        """Every ledger of the stack: gap-free, linked, each acknowledged fact once, none for what was refused."""
        self.world.until("every answered decision in its ledger", self._shipped)
        found = Reading()
        facts: dict[str, list[Record]] = {}
        query = "SELECT * FROM es.event ORDER BY ledger, position"
        for service in SERVICES:
            with self.stack.connect(service) as connection, connection.cursor(row_factory=dict_row) as cursor:
                for row in cursor.execute(query).fetchall():
                    facts.setdefault(row["ledger"], []).append(Record(**row))
        for ledger, records in facts.items():
            ordered(found, ledger, records)
        found.facts = sum(map(len, facts.values()))
        there = Counter(str(one.event_id) for one in facts["decisions"])
        found.lost += sum(there[one] == 0 for one in self.decisions)
        found.doubled += sum(max(there[one] - 1, 0) for one in self.decisions)
        named = Counter(
            msgspec.json.decode(one.data).get("group") for one in facts["registry"] if b"chaos-" in one.data
        )
        found.lost += sum(named[group] == 0 for group, acknowledged in self.groups.items() if acknowledged)
        found.doubled += sum(max(named[group] - 1, 0) for group in self.groups)
        denied = [group for group, acknowledged in self.groups.items() if not acknowledged and named[group]]
        found.check(not denied, f"{len(denied)} writes happened that were refused")
        found.acknowledged = len(self.decisions) + sum(self.groups.values())
        return found

    def _shipped(self) -> bool:
        with self.stack.connect("inference") as connection:
            query = "SELECT count(*) FROM es.event WHERE event_id = ANY(%s::uuid[])"
            row = connection.execute(query, (self.decisions,)).fetchone()
        return row is not None and row[0] >= len(self.decisions)


def _dead(pid: int) -> bool:
    """Gone, or a zombie whose parent is frozen."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _told(answer: httpx.Response) -> str:
    if answer.is_success:
        return OK
    if answer.status_code == 503:
        return AWAY
    if answer.status_code == 403 and any(one["rule"].startswith("policy.") for one in answer.json()["reasons"]):
        return DENIED
    return f"{answer.status_code} {answer.text[:300]}"


def _online(answer: httpx.Response) -> str:
    if answer.is_success and set(answer.json()["entities"][0]["status"]) == {"MISSING"}:
        return "MISSING"
    return _told(answer)


def every_cell(yard: Yard, number: int) -> Run:
    """A stack of its own that serves a model; each part of the table is away once, and every door is asked."""
    from e2e.journey import data, governing, people, story

    folder = yard.run / "stack"
    shutil.rmtree(folder, ignore_errors=True)
    with running(folder, "--no-mlflow") as stack:
        world = World.of(stack.data, ACCOUNTS, lambda who, what: None)
        people.enrol(world)
        data.bring(world)
        prepared = data.define(world)
        governing.intake(world)
        told = story.Story()
        story.serve(world, prepared, told, story.champion(world, prepared, told))
        table = Table(stack, world, prepared.bundle_id)
        for part in TABLE:
            table.strike(part)
        run = Run(strikes=table.strikes, reading=table.read())
        for part, row in TABLE.items():
            found = {door: table.found[part, door] for door in row}
            run.reading.check(found == row, f"while {part} is away: {found}")
        return run


SCENARIOS = [
    Scenario(
        name="stop table",
        proves="each part of a whole stack held away once: every door answers as the stop table says",
        play=every_cell,
        must=tuple(TABLE),
    ),
]
