"""The stop table of the architecture on a whole stack: a part is held away, every door is asked, the part comes back.

The supervisor is frozen meanwhile, so that nobody brings the part back early; a connection to it is refused.
"""

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
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
from e2e.stacks import SERVICES, Stack
from e2e.upgrade.kept import kept, restored, sealed, unpack
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
ARTIFACT, TRAINING, SEAL = "bringing an artifact", "reading a training set", "sealing"
NEWCOMER, SHOWN, REVEAL = "scoring of a subject without a key", "showing a decision", "revealing its inputs"
ACCOUNTS = 300
OK, AWAY, DENIED = "goes on", "503", "denied"
SEALED, STOPS, NO_KEY = "sealed", "stops, and says so", "503 sealing.keys_away"
EVERYTHING_GOES_ON = dict.fromkeys((SCORE, LOOKED_UP, ONLINE, WRITE, QUERY, AUDIT), OK)
OBJECTS, KEYS = "objects", "subject_keys"
# So many keys a process of inference holds for subjects that it has not met.
HELD = 1000
_NEW = b"an artifact that nobody has brought before"

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
    OBJECTS: {
        SCORE: OK,
        LOOKED_UP: OK,
        ONLINE: OK,
        WRITE: OK,
        QUERY: OK,
        ARTIFACT: AWAY,
        TRAINING: AWAY,
        AUDIT: AWAY,
        SEAL: STOPS,
    },
    KEYS: {**EVERYTHING_GOES_ON, SHOWN: SEALED, REVEAL: AWAY, NEWCOMER: NO_KEY},
}


@dataclass(slots=True)
class Table:
    """A stack on which models are served, and what its doors answered."""

    stack: Stack
    world: World
    bundle: str
    dataset: str
    newcomers: Iterator[int] = field(default_factory=lambda: itertools.count(200_000))
    strikes: Counter[str] = field(default_factory=Counter)
    found: dict[tuple[str, str], str] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    groups: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def over(cls, stack: Stack, world: World) -> "Table":
        """A stack on which the application `cards` is deployed."""
        (version,) = {
            one["version_id"] for one in world["olga"].get("inference", "/v1/deployments") if one["state"] == "active"
        }
        manifest = world["anna"].get("registry", f"/v1/versions/{version}")["manifest"]
        (dataset,) = manifest["training_data"]
        return cls(stack, world, manifest["features"]["bundle"], dataset)

    def begin(self) -> None:
        """Nothing is found yet."""
        self.strikes, self.found, self.decisions, self.groups = Counter(), {}, [], {}

    @contextmanager
    def away(self, part: str) -> Iterator[None]:
        """The part is dead, and stays so until the end; the object store, which is a folder, is not there."""
        if part == OBJECTS:
            with self._unmounted():
                yield
            return
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

    @contextmanager
    def _unmounted(self) -> Iterator[None]:
        store = self.stack.data / "objects"
        aside = store.rename(store.with_name("unmounted"))
        self.strikes[OBJECTS] += 1
        try:
            yield
        finally:
            # Whatever somebody has written in its place would be in the way here.
            aside.rename(store)

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
        # Nothing was left out by the sealer, and no incident stops it.
        sealed(self.stack)

    def ask(self, door: str) -> str:
        """What a door answers now: goes on, 503, denied, or another status with its words."""
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
            case "bringing an artifact":
                return _told(self._send("anna", "PUT", "registry", f"/v1/artifacts/{sha256(_NEW).hexdigest()}", _NEW))
            case "reading a training set":
                return _told(self._send("anna", "GET", "features", f"/v1/datasets/{self.dataset}/data"))
            case "sealing":
                return self._sealing()
            case "showing a decision":
                inputs = self._send("irina", "GET", "inference", f"/v1/decisions/{self.decisions[-1]}").json()
                return SEALED if inputs["data"]["inputs"].startswith("sealed.v1.") else str(inputs)
            case "revealing its inputs":
                return _told(self._send("irina", "POST", "inference", f"/v1/decisions/{self.decisions[-1]}/reveals"))
            case "scoring of a subject without a key":
                return self._newcomer(row)
            case _:
                return _told(self._send("rita", "GET", "audit", "/v1/proofs/inclusion?ledger=registry&position=1"))

    def _scored(self, row: Any) -> str:
        answer = self._send(CONSUMER, "POST", "inference", "/v1/score/cards/v1", row)
        told = _told(answer)
        if told == OK:
            made = answer.json()
            self.decisions += [one["decision_id"] for one in made.get("decisions", [made])]
        return f"{told} {answer.json().get('code')}" if told == AWAY and isinstance(row, list) else told

    def _newcomer(self, row: dict[str, Any]) -> str:
        """What somebody is told for whom no key is left; the keys that are held are given to others first."""
        for size in (*[HELD // 10] * 20, *[1] * (HELD // 10)):
            told = self._scored([{**row, "account_id": str(next(self.newcomers))} for _ in range(size)])
            if told != OK and size == 1:
                return told
        return OK

    def _sealing(self) -> str:
        """Whether a fact that was copied is left unsealed, audit's metrics say so, and no head or tile was made."""
        part = 'part_restarts_total{part="seal registry"}'
        before = self._metric("audit", part)
        self.ask(WRITE)
        self.world.until("the sealer to fail", lambda: self._metric("audit", part) > before)
        return STOPS if not (self.stack.data / "objects").exists() else "writes where the store will be"

    def _metric(self, service: str, name: str) -> float:
        text = self.world.http.get(f"{self.world.urls[service]}/metrics").text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if name in line)

    def _send(self, login: str, method: str, service: str, path: str, body: Any = None) -> httpx.Response:
        from e2e.journey.data import PURPOSE

        headers = {"authorization": f"Bearer {self.world[login].token}", "letopis-purpose": PURPOSE}
        if method == "POST":
            headers["idempotency-key"] = str(uuid4())
        sent = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
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


@contextmanager
def served(room: Path) -> Iterator[Table]:
    """The newest kept installation, in which a model is served, brought to life on ports of its own."""
    # With the journey comes Arrow, whose threads must not be there before the other scenarios have forked.
    from e2e.journey import data, scoring

    room.mkdir(exist_ok=True)
    unpack(kept()[-1], room)
    with restored(room) as stack:
        world = World.of(stack.data, ACCOUNTS, lambda who, what: None)
        data.lay(world)
        data.grants(world)
        table = Table.over(stack, world)
        # What is looked up online is a cache, which no backup holds.
        (view,) = {one["view_id"] for one in world["anna"].get("features", "/v1/views")}
        scoring.go_online(world, data.Prepared(view_id=view, bundle_id=table.bundle), data.SEPTEMBER)
        yield table
        world.http.close()


def every_cell(yard: Yard, number: int) -> Run:
    """Each part of the table is away once, and every door is asked; the runs share a stack, as a bank's days do."""
    table = yard.keep("a stack that serves a model", partial(served, yard.folder / "stack"))
    table.begin()
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
