"""The processes of a run: an owner with its relay and view, writers, a scorer with its journal, the chronicle."""

import asyncio
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid5

import httpx
import uvicorn
from e2e.chaos import lies
from e2e.chaos.place import Notebook, Place, read_notes
from e2e.chaos.sample import ACCOUNT, MONEY, PAYOUT, Accounts, Deposit, Deposited, Flows, PayOut, decision

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.copying import Copier
from letopis.audit.log.keeper import Keeper
from letopis.audit.log.note import Checkpoint, Signer, open_note
from letopis.audit.log.shelf import Shelf
from letopis.common import faults, observability, running
from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Authorization, Meta, record_line
from letopis.common.errors import Conflict, Unavailable
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News
from letopis.common.following.feed import LedgerFeed
from letopis.common.handling import Desk, new_fact
from letopis.common.ids import uuid7
from letopis.common.observability import Metrics
from letopis.common.outbox import Relay
from letopis.common.policy.lease import Leases
from letopis.common.policy.verdict import Object, Question, Subject, Verdict
from letopis.common.projecting import Told
from letopis.common.reacting import Reaction
from letopis.common.settings import ServiceSettings
from letopis.common.testing.sealing import sealer
from letopis.common.workshop import Workshop
from letopis.inference.decision.events import FACTS as DECISIONS
from letopis.inference.decision.journal import Journal, Limits
from letopis.inference.decision.recovery import recover
from letopis.inference.decision.shipper import Shipper
from letopis.inference.decision.views import DecisionIndex
from letopis.inference.scoring.book import JournalBook
from letopis.inference.scoring.record import under_lease

NOBODY = Meta(actor=Actor(service="chaos"))
ALLOWED = Authorization(authorization_id="1", action="chaos.deposit", revision="r1", input={}, result={"allow": True})
SMALL_SEGMENT = 64 << 10


class ShiftedClock(SystemClock):
    """The machine's clock, off by a whole lot."""

    def __init__(self, off: float) -> None:
        self.off = timedelta(seconds=off)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


def workshop(place: Place, service: str, owns: tuple[str, ...], follows: dict[str, str]) -> Workshop:
    """A service's workshop as in production, except that doors need no token and silences are short."""
    # A run has seconds, not hours, for an outage.
    running.LONGEST_PAUSE = 1.0
    database = place.databases[service]
    settings = ServiceSettings(
        nats_url=place.nats_url,
        database_url=database.app_url,
        owner_url=database.owner_url,
        projector_url=database.projector_url,
        nats_seed_file=place.seeds[service],
        client_secret_file=place.folder / "none",
        **{f"{name}_url": f"http://127.0.0.1:{port}" for name, port in place.ports.items()},
    )
    made = Workshop.of(service, settings, News(), Metrics(service), owns, follows)
    made.tokens = httpx.Auth()
    for ledger in follows:
        source = made.source(ledger)
        assert isinstance(source, LedgerFeed)
        source.silence = 1.0
    return made


def relay(place: Place, made: Workshop, ledger: str, *, telemetry: bool = False) -> None:
    """The ledger's relay; it looks after its stream every half second instead of every minute."""
    part = Relay(
        source=made.source(ledger),
        bus=made.bus,
        engine=made.app_engine,
        clock=ShiftedClock(place.clock_off),
        metrics=made.metrics,
        telemetry=telemetry,
        reconcile=0.5,
    )
    made.parts.add(f"relay {ledger}", part.run)


async def door(store: PostgresEventStore, port: int) -> None:
    """The owner's door over its store, for whoever asks."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        ledger = scope["path"].split("/")[3]
        query = parse_qs(scope["query_string"].decode())
        status, body, headers = 200, b"", []
        try:
            records = await store.read(ledger, int(query["after"][0]), min(int(query["limit"][0]), 1000))
            headers = [(b"letopis-head", str(await store.head(ledger)).encode())]
            body = b"".join(map(record_line, records))
        except Unavailable:
            status = 503
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    await uvicorn.Server(uvicorn.Config(answer, port=port, log_level="error", lifespan="off")).serve()


async def owner(place: Place, *, port: bool = True) -> None:
    """The registry of this world: relay, view, and the door."""
    made = workshop(place, "registry", ("registry",), {})
    relay(place, made, "registry")
    made.project(Accounts)
    works: list[Awaitable[None]] = [made.parts.run()]
    if port:
        works.append(door(made.store, place.ports["registry"]))
    await asyncio.gather(*works)


async def second_owner(place: Place) -> None:
    """Another replica of the owner's worker, which has no door."""
    await owner(place, port=False)


async def writer(place: Place) -> None:
    """Deposits, each intended in writing before it is sent and acknowledged in writing after it is answered.

    What was intended and not answered, also by a writer that was killed, is sent again with its command id.
    """
    store = PostgresEventStore(
        open_engine(place.databases["registry"].app_url, autocommit=True, size=place.load.at_once)
    )
    desk, rng = Desk(store, "registry"), random.Random(place.seed)
    intents, acks = Notebook(place.notes("intents")), Notebook(place.notes("acks"))
    known = {one["id"]: one for one in read_notes(place.notes("intents"))}
    open_ = [one for one in known.values() if one["id"] not in {ack["id"] for ack in read_notes(place.notes("acks"))}]
    plan = iter(_deposits(place, rng, len(known)))

    async def one(intent: dict[str, Any]) -> None:
        command = Deposit(account=intent["account"], amount=intent["amount"])
        meta = Meta(actor=Actor(person="anna"), authorization=ALLOWED)
        hashed = sha256(f"{command}".encode()).digest()
        while True:
            try:
                done = await desk.handle(ACCOUNT, command.account, command, meta, UUID(intent["id"]), hashed)
            except (Unavailable, Conflict):
                await asyncio.sleep(0.05)
                continue
            acks.write(id=intent["id"], facts=[[one.position, str(one.event_id)] for one in done.records])
            return

    async def work() -> None:
        while open_:
            await one(open_.pop())
        for intent in plan:
            if place.stop.exists():
                return
            intents.write(**intent)
            await one(intent)
            await asyncio.sleep(place.load.pause)

    await asyncio.gather(*(work() for _ in range(place.load.at_once)))


def _deposits(place: Place, rng: random.Random, after: int) -> Any:
    """The planned deposits; a run with the same seed plans the same ones, also after a restart."""
    number = 0
    while not place.load.commands or number < place.load.commands:
        intent = {
            "id": str(uuid5(UUID(int=place.seed), str(number))),
            "account": f"a{rng.randrange(place.load.accounts)}",
            "amount": rng.randrange(1, 1000),
        }
        number += 1
        if number > after:
            yield intent


async def scorer(place: Place) -> None:
    """The inference of this world: a journal with its shipper, two relays, two views, a reaction."""
    made = workshop(place, "inference", ("inference", "decisions"), {"registry": "registry"})
    relay(place, made, "inference")
    relay(place, made, "decisions", telemetry=True)
    made.project(Flows)
    made.project(DecisionIndex)
    pay = partial(pay_out, Desk(made.store, "inference"), place.poison)
    made.react(Reaction(name="payout", sources={"registry": MONEY}, react=pay))
    folder = place.journal or place.folder / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    left = recover(folder)
    limits = Limits(segment_bytes=SMALL_SEGMENT, disk_share=place.disk_share)
    journal = Journal(folder, limits=limits)
    shipper = Shipper(journal, left, made.store, partial(covered, place), NOBODY)
    made.parts.add("shipper", shipper.run)
    made.parts.add("segments", partial(shipper.clean, 0.1))
    works = [made.parts.run(), door(made.store, place.ports["inference"]), score(place, journal, shipper, left)]
    await asyncio.gather(*works)


async def score(place: Place, journal: Journal, shipper: Shipper, left: list[Any]) -> None:
    """Decisions under a lease; each is acknowledged in writing once its record is durable."""
    await journal.open(left[-1].previous() if left else None, NOBODY)
    leases: Leases[str] = Leases(AlwaysYes(), ShiftedClock(place.clock_off), JournalBook(journal))
    acks, number = Notebook(place.notes("decisions")), 0
    sealing = sealer("decisions")
    subject = Subject(person="bank", login="bank-app")
    while not place.stop.exists():
        if place.load.decisions and number >= place.load.decisions:
            await asyncio.sleep(0.05)
            continue
        question = Question(
            action="inference.score",
            subject=subject,
            purpose="chaos",
            object=Object(type="application", id="cards"),
            time=leases.clock.now(),
        )
        try:
            lease = await leases.hold("bank-app", question)
            meta = under_lease(Meta(actor=Actor(service="chaos"), purpose="chaos"), lease.event_id)
            facts = [
                new_fact(DECISIONS, decision(number + place_in), meta, sealing) for place_in in range(place.load.batch)
            ]
            await journal.append(facts)
        except Unavailable as away:
            acks.write(refused=away.code)
            await asyncio.sleep(0.05)
            continue
        acks.write(facts=[str(one.event_id) for one in facts])
        number += len(facts)
        await asyncio.sleep(place.load.pause)
    await shipper.caught_up()
    Notebook(place.notes("scored")).write(journal=str(journal.source_id), seq=journal.written.seq)


async def pay_out(desk: Desk, poison: str, told: Told) -> None:
    """Every deposit is paid out once, in the name of the fact that allows it."""
    fact = told.fact
    if not isinstance(fact, Deposited):
        return
    if poison and fact.account == poison:
        raise ArithmeticError("this reaction cannot take this account")
    meta = Meta(actor=Actor(service="chaos"), causation_id=str(told.record.event_id))
    command = PayOut(account=fact.account, amount=fact.amount)
    await desk.handle(PAYOUT, fact.account, command, meta, uuid5(told.record.event_id, "payout"))


async def covered(place: Place) -> int:
    """How far the chronicle's published checkpoint of the decisions reaches."""
    try:
        note = (place.tiles / "decisions" / "checkpoint").read_text("utf-8")
    except FileNotFoundError:
        return 0
    signer = Signer("chaos/decisions", place.key)
    return Checkpoint.parse(open_note(note, [signer.verifier()])).size


async def chronicle(place: Place) -> None:
    """The audit of this world: a copy of every ledger, sealed several times a second."""
    follows = {"registry": "registry", "inference": "inference", "decisions": "inference"}
    made = workshop(place, "audit", ("audit",), follows)
    copies = CopyStore(open_engine(place.databases["audit"].app_url, autocommit=True, size=4))
    for ledger in follows:
        sealer = Sealer(
            ledger=ledger,
            copies=copies,
            shelf=Shelf(place.tiles),
            locks=LockStore(place.folder / "locks" / "heads.sqlite"),
            signer=Signer(f"chaos/{ledger}", place.key),
        )
        keeper = Keeper(
            ledger=ledger,
            source=made.source(ledger),
            copier=Copier(ledger, copies),
            sealer=sealer,
            desk=Desk(made.store, "audit"),
            clock=ShiftedClock(place.clock_off),
            metrics=made.metrics,
            every=0.1,
        )
        made.parts.add(f"copy {ledger}", keeper.copy)
        made.parts.add(f"seal {ledger}", keeper.seal)
    await made.parts.run()


class AlwaysYes:
    """A policy that allows, for leases to rest on."""

    def forget(self) -> None:
        """It remembers nothing."""

    async def ask(self, question: Question, *, can: frozenset[str] = frozenset()) -> Verdict:
        del can
        authorization = Authorization(
            authorization_id=str(uuid7()),
            action=question.action,
            revision="r1",
            input=question.input(),
            result={"allow": True},
        )
        return Verdict(allow=True, reasons=(), warned=(), obligations=(), authorization=authorization, answered=True)


ROLES: dict[str, Callable[[Place], Any]] = {
    "owner": owner,
    "second": second_owner,
    "writer": writer,
    "scorer": scorer,
    "chronicle": chronicle,
}


def act(role: str, place: Place, points: str) -> None:
    """The life of one process, from its fork to its end."""
    import uvloop

    observability.configure(role)
    faults.arm(points)
    if place.mangled:
        lies.mangle(place)
    uvloop.run(alive(ROLES[role](place)))


async def alive(work: Awaitable[None]) -> None:
    """Do it; asked by SIGUSR1, tell where every task waits, so that a run that hangs says where."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, where)
    await work


def where() -> None:
    """Every task of this process and what it waits for, innermost last, into its log."""
    for task in asyncio.all_tasks():
        lines, waits = [], task.get_coro()
        while waits is not None:
            frame = getattr(waits, "cr_frame", None)
            if frame is not None:
                lines.append(f"{frame.f_code.co_filename.rpartition('letopis/')[2]}:{frame.f_lineno}")
            waits = getattr(waits, "cr_await", None)
        print(f"task {task.get_name()}: {' > '.join(lines)}", file=sys.stderr, flush=True)
