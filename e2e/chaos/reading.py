"""The one reader over all ledgers: what was acknowledged, what is stored, told, copied, sealed, shown and done.

It reads as superuser and as the bus's administrator, and trusts nobody's word: positions, versions and links are
counted, leaves hashed again, trees computed from the owner's rows, views built again beside what readers saw.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from e2e.chaos.place import OWNERS, Place, read_notes
from e2e.chaos.sample import Accounts, Flows
from e2e.chaos.yard import Yard
from nats.js.api import AckPolicy, ConsumerConfig
from psycopg.rows import dict_row

from letopis.audit.log.merkle import head_at, root_of
from letopis.audit.log.note import Checkpoint, Signer, open_note
from letopis.audit.log.shelf import Shelf
from letopis.audit.log.tile import nodes_from
from letopis.common.database import open_engine
from letopis.common.envelope import Record
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.leaf import leaf_hash
from letopis.common.messaging import told_in
from letopis.common.projecting.rebuild import rebuild
from letopis.inference.decision.views import DecisionIndex

if TYPE_CHECKING:
    from e2e.chaos.world import World

_FIELDS = (
    "ledger, position, stream, version, prev, event_id, type, schema_version, recorded_at, command_id, salt, data, meta"
)
VIEWS = {"registry": (Accounts,), "inference": (Flows, DecisionIndex)}


@dataclass(slots=True)
class Reading:
    """What was found; everything but the first four must be empty or zero."""

    facts: int = 0
    acknowledged: int = 0
    effects: int = 0
    hashes: dict[str, str] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.gaps or self.wrong)

    def check(self, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(what)


def read(world: "World", *, streams: bool = True) -> Reading:
    """All invariants of a run that has come to rest."""
    found = Reading()
    ledgers = {ledger: stored(world, ledger) for ledger in OWNERS}
    found.facts = sum(map(len, ledgers.values()))
    for ledger, records in ledgers.items():
        ordered(found, ledger, records)
        counted(found, world, ledger, records)
        copied(found, world, ledger, records)
        sealed(found, world.place, ledger, records)
        if streams:
            told(found, ledger, records, messages(world.yard, ledger))
    promised(found, world.place, ledgers)
    allowed(found, world, ledgers)
    asyncio.run(shown(found, world))
    incidents = world.scalar("audit", "SELECT count(*) FROM es.event")
    found.check(incidents == 0, f"the chronicle recorded {incidents} incidents")
    return found


def stored(world: "World", ledger: str) -> list[Record]:
    """The owner's rows, as they lie there."""
    return _records(world, OWNERS[ledger], "es.event", ledger)


def _records(world: "World", service: str, table: str, ledger: str) -> list[Record]:
    query = f"SELECT {_FIELDS} FROM {table} WHERE ledger = %s ORDER BY position"
    with world.connect(service) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return [Record(**row) for row in cursor.execute(query, (ledger,)).fetchall()]  # type: ignore[arg-type]


def ordered(found: Reading, ledger: str, records: Sequence[Record]) -> None:
    """Positions and versions count from one without a gap, and each fact names its stream's previous one."""
    streams: dict[str, tuple[int, int]] = {}
    for expected, record in enumerate(records, 1):
        found.gaps += record.position != expected
        version, last = streams.get(record.stream, (0, 0))
        found.gaps += record.version != version + 1
        found.check(record.prev == last, f"{ledger}/{record.position} names {record.prev} before it, not {last}")
        streams[record.stream] = record.version, record.position
    doubles = Counter(record.event_id for record in records)
    found.doubled += sum(count - 1 for count in doubles.values())


def counted(found: Reading, world: "World", ledger: str, records: Sequence[Record]) -> None:
    """The store's own books agree with its facts: head, streams, commands, sources."""
    with world.connect(OWNERS[ledger]) as connection:
        (head,) = connection.execute("SELECT head FROM es.ledger WHERE ledger = %s", (ledger,)).fetchone() or (None,)
        streams = connection.execute(
            "SELECT stream, version, last_position FROM es.stream WHERE ledger = %s", (ledger,)
        )
        sources = connection.execute(
            "SELECT source_id, last_seq, last_position FROM es.source WHERE ledger = %s", (ledger,)
        )
        commands = connection.execute(
            "SELECT command_id, first_pos, last_pos FROM es.command WHERE ledger = %s", (ledger,)
        )
        books = [(name, version, last) for name, version, last in streams.fetchall()]
        books += [(f"journal:{source}", seq, last) for source, seq, last in sources.fetchall()]
        asked = {command: (first, last) for command, first, last in commands.fetchall()}
    found.check(head == len(records), f"{ledger} counts {head} facts and has {len(records)}")
    ends = {record.stream: (record.version, record.position) for record in records}
    found.check(
        {name: (version, last) for name, version, last in books} == ends, f"{ledger}: the streams' books differ"
    )
    done: dict[Any, tuple[int, int]] = {}
    for record in records:
        if record.command_id is not None:
            first, _ = done.get(record.command_id, (record.position, 0))
            done[record.command_id] = first, record.position
    found.check(asked == done, f"{ledger}: the commands' book differs")


def promised(found: Reading, place: Place, ledgers: dict[str, list[Record]]) -> None:
    """What was acknowledged is there once, where it was said to be; what was asked twice happened once."""
    intents = [one["id"] for one in read_notes(place.notes("intents"))]
    acks = read_notes(place.notes("acks"))
    at = {(record.position, str(record.event_id)) for record in ledgers["registry"]}
    for ack in acks:
        found.lost += sum((position, event_id) not in at for position, event_id in ack["facts"])
    found.lost += len(set(intents) - {ack["id"] for ack in acks})
    times = Counter(str(one.command_id) for one in ledgers["registry"])
    # A deposit is two facts.
    found.doubled += sum(max(times[one] - 2, 0) for one in intents)
    found.lost += sum(max(2 - times[one], 0) for one in intents)
    scored = [event_id for one in read_notes(place.notes("decisions")) for event_id in one.get("facts", ())]
    there = Counter(str(record.event_id) for record in ledgers["decisions"])
    found.lost += sum(there[event_id] == 0 for event_id in scored)
    found.acknowledged = sum(len(ack["facts"]) for ack in acks) + len(scored)


def allowed(found: Reading, world: "World", ledgers: dict[str, list[Record]]) -> None:
    """Every effect has one earlier allow: deposits their policy answer, decisions a lease, payouts their deposit."""
    deposits = {str(one.event_id): one for one in ledgers["registry"] if one.type == "registry.account.deposited"}
    paid: Counter[str] = Counter()
    for record in ledgers["inference"]:
        cause = msgspec.json.decode(record.meta)["causation_id"]
        paid[cause] += 1
        found.check(cause in deposits, f"inference/{record.position} pays out what nobody deposited")
    found.doubled += sum(count - 1 for count in paid.values())
    held = world.scalar("inference", "SELECT count(*) FROM reacting.parked")
    found.check(len(deposits) - len(paid) == held, f"{len(deposits)} deposits, {len(paid)} payouts, {held} parked")
    leases: dict[str, datetime] = {}
    for record in ledgers["decisions"]:
        if record.type == "decisions.lease.granted":
            leases[str(record.event_id)] = msgspec.json.decode(record.data)["not_after"]
        elif record.type == "decisions.decision.made":
            lease = msgspec.json.decode(record.meta)["authorization"]["lease"]
            found.check(lease in leases, f"decisions/{record.position} rests on no earlier lease")
            found.effects += 1
    for record in ledgers["registry"]:
        answer = msgspec.json.decode(record.meta)["authorization"]
        found.check(bool(answer and answer["result"].get("allow")), f"registry/{record.position} was allowed by nobody")
    found.effects += len(ledgers["inference"]) + len(ledgers["registry"])


def messages(yard: Yard, ledger: str) -> list[tuple[str, bytes]]:
    """All that a stream holds, in its order: subject and body."""

    async def go(js: Any) -> list[tuple[str, bytes]]:
        state = (await js.stream_info(f"LEDGER_{ledger}")).state
        found: list[tuple[str, bytes]] = []
        if state.messages:
            # Nothing is acknowledged, so nothing may wait for it either: a stream can be of any length.
            reader = ConsumerConfig(ack_policy=AckPolicy.NONE)
            subscription = await js.pull_subscribe(f"letopis.{ledger}.>", stream=f"LEDGER_{ledger}", config=reader)
            while len(found) < state.messages:
                found += [(one.subject, one.data) for one in await subscription.fetch(500, timeout=5)]
            await subscription.unsubscribe()
        return found

    return yard.nats.as_root(go)  # type: ignore[no-any-return]


def stream_positions(yard: Yard, ledger: str) -> list[int]:
    """The last position that the stream's last message tells, or nothing."""
    from nats.js.errors import NotFoundError

    async def go(js: Any) -> list[int]:
        try:
            state = (await js.stream_info(f"LEDGER_{ledger}")).state
            if not state.last_seq:
                return []
            message = await js.get_msg(f"LEDGER_{ledger}", seq=state.last_seq)
        except NotFoundError:
            return []
        return [told_in(message.subject, message.data).last]

    return yard.nats.as_root(go)  # type: ignore[no-any-return]


def told(found: Reading, ledger: str, records: Sequence[Record], heard: Iterable[tuple[str, bytes]]) -> None:
    """The stream is the ledger: every fact once, in order, with the leaf it hashes to."""
    expected = 1
    for subject, body in heard:
        news = told_in(subject, body)
        for record in news.records:
            if record.position < expected:
                found.doubled += 1
                continue
            found.gaps += record.position - expected
            expected = record.position + 1
            own = records[record.position - 1]
            found.check(record == own, f"news of {ledger}/{record.position} are not what is stored")
            leaf = news.leafhashes.get(record.position, leaf_hash(own))
            found.check(leaf == leaf_hash(own), f"news of {ledger}/{record.position} name another leaf")
    found.gaps += len(records) - (expected - 1)


def copied(found: Reading, world: "World", ledger: str, records: Sequence[Record]) -> None:
    """The chronicle's copy is the owner's ledger, byte by byte."""
    copy = _records(world, "audit", "copy.record", ledger)
    found.check(copy == list(records), f"the copy of {ledger} is not what its owner stored")


def checkpoint_size(place: Place, ledger: str) -> int:
    """How many facts the published checkpoint covers, unverified; 0 while there is none."""
    try:
        return int((place.tiles / ledger / "checkpoint").read_text("utf-8").split("\n")[1])
    except FileNotFoundError:
        return 0


def sealed(found: Reading, place: Place, ledger: str, records: Sequence[Record]) -> None:
    """The signed head is the root of the owner's own rows, and the tiles lead to it."""
    note = (place.tiles / ledger / "checkpoint").read_text("utf-8")
    head = Checkpoint.parse(open_note(note, [Signer(f"chaos/{ledger}", place.key).verifier()]))
    found.check(head.size == len(records), f"{ledger} is sealed at {head.size} of {len(records)}")
    found.check(head.root == root_of(list(map(leaf_hash, records))), f"the head of {ledger} is not its facts' root")
    tiles = partial(Shelf(place.tiles).tile, ledger)
    found.check(head_at(head.size, nodes_from(tiles, head.size)) == head.root, f"the tiles of {ledger} lead elsewhere")


async def shown(found: Reading, world: "World") -> None:
    """Every live view is what building it again from the facts makes of them."""
    engines, news = [], News()
    sources = {}
    for ledger, service in OWNERS.items():
        engines.append(open_engine(world.place.databases[service].app_url, autocommit=True))
        sources[ledger] = OwnLedger(PostgresEventStore(engines[-1]), ledger, news)
    for service, views in VIEWS.items():
        engines.append(open_engine(world.place.databases[service].projector_url))
        for view in views:
            before = content(world, service, view.name)
            await rebuild(view, sources, engines[-1])
            after = content(world, service, view.name)
            found.hashes[view.name] = before
            found.check(before == after, f"the live view {view.name} is not what the facts say")
    for engine in engines:
        await engine.dispose()


def content(world: "World", service: str, view: str) -> str:
    """A hash over all rows of the live view."""
    with world.connect(service) as connection:
        (schema,) = connection.execute(
            "SELECT schema_name FROM projecting.view_state WHERE view = %s AND state = 'live'", (view,)
        ).fetchone() or ("",)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,))
        lines = []
        for (table,) in tables.fetchall():
            rows = connection.execute(f'SELECT t::text FROM "{schema}"."{table}" t ORDER BY t::text COLLATE "C"')
            lines += [row[0] for row in rows.fetchall()]
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
