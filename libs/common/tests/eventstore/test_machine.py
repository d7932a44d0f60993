"""The store on PostgreSQL and its twin in memory through the same random histories: equal answers, sound ledgers."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from letopis.common.clock import FixedClock
from letopis.common.database import open_engine
from letopis.common.envelope import NewFact
from letopis.common.errors import LetopisError
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.eventstore.port import StreamFacts
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import salt, uuid7

from .test_contract import prepare

AT = datetime(2026, 11, 21, tzinfo=UTC)
LEDGERS = st.sampled_from(["test", "other"])
STREAMS = st.sampled_from(["a:1", "b:1", "z:1"])
SOURCES = st.sampled_from([UUID(int=1), UUID(int=2)])
COUNTS = st.integers(1, 3)


def fresh(count):
    return [
        NewFact(event_id=uuid7(), type="test.x.y", schema_version=1, salt=salt(), data=b"%d" % place, meta=b"{}")
        for place in range(count)
    ]


def told(record):
    """What both must say of a fact; only the clock is each one's own."""
    return replace(record, recorded_at=AT)


class Stores(RuleBasedStateMachine):
    """Every step is asked of both; what they answer, or how they refuse, MUST be the same."""

    real: PostgresEventStore
    run: staticmethod

    def __init__(self):
        super().__init__()
        self.twin = MemoryEventStore(FixedClock(AT))
        # Each history has streams, sources and commands of its own in ledgers that go on, so no database is made anew.
        self.mark = uuid7().hex
        self.commands = []
        self.start = {ledger: self.run(self.real.head(ledger)) for ledger in ("test", "other")}
        for ledger, head in self.start.items():
            self.twin.ledgers[ledger] = list(self.run(self.real.read(ledger, 0, head)))

    def name(self, stream):
        return f"{stream}-{self.mark}"

    def both(self, ask):
        """The answer of the real one, once the twin has given the same."""
        answers = []
        for store in (self.twin, self.real):
            try:
                answers.append(self.run(ask(store)))
            except LetopisError as error:
                answers.append(type(error))
        assert answers[0] == answers[1]
        return answers[1]

    def streams(self, ledger, told):
        """Mostly at the version the stream has, now and then beside it."""
        return [
            StreamFacts(
                stream=self.name(stream),
                expected=max(0, self.run(self.twin.stream_head(ledger, self.name(stream))) + beside),
                facts=fresh(count),
                closes=closes,
            )
            for stream, count, beside, closes in told
        ]

    @rule(ledger=LEDGERS, stream=STREAMS, count=COUNTS, beside=st.sampled_from([0, 0, 0, 1, -1]), known=st.booleans())
    def append(self, ledger, stream, count, beside, known):
        (one,) = self.streams(ledger, [(stream, count, beside, False)])
        command = uuid7() if known else None
        self.both(lambda store: store.append(ledger, one.stream, one.expected, one.facts, command, b"h"))
        if command:
            self.commands.append((ledger, [one], command))

    @rule(
        ledger=LEDGERS,
        told=st.lists(
            st.tuples(
                STREAMS, st.integers(0, 3), st.sampled_from([0, 0, 0, 0, 1]), st.integers(0, 9).map(lambda n: not n)
            ),
            max_size=3,
        ),
    )
    def append_to_several(self, ledger, told):
        streams, command = self.streams(ledger, told), uuid7()
        self.both(lambda store: store.append_all(ledger, streams, command, b"h"))
        self.commands.append((ledger, streams, command))

    @rule(ledger=LEDGERS, stream=STREAMS)
    def close(self, ledger, stream):
        streams = self.streams(ledger, [(stream, 1, 0, True)])
        self.both(lambda store: store.append_all(ledger, streams))

    @precondition(lambda self: self.commands)
    @rule(data=st.data(), changed=st.booleans())
    def repeat(self, data, changed):
        ledger, streams, command = data.draw(st.sampled_from(self.commands))
        self.both(lambda store: store.append_all(ledger, streams, command, b"other" if changed else b"h"))
        self.both(lambda store: store.find_command(ledger, command))

    @rule(ledger=LEDGERS, source=SOURCES, count=st.integers(0, 5), shift=st.integers(-4, 2))
    def ship(self, ledger, source, count, shift):
        source = UUID(int=source.int ^ UUID(self.mark).int)
        at = self.run(self.twin.source_position(ledger, source))
        facts = fresh(count)
        self.both(lambda store: store.append_batch(ledger, source, max(1, at + 1 + shift), facts))
        self.both(lambda store: store.source_position(ledger, source))

    @rule(ledger=LEDGERS, streams=st.lists(STREAMS, min_size=2, max_size=6))
    def append_at_once(self, ledger, streams):
        """A group: whoever is first on a stream wins, the others are told; in what order is the store's affair."""
        asked = [(one, uuid7()) for stream in streams for one in self.streams(ledger, [(stream, 1, 0, False)])]

        async def all_at_once():
            return await asyncio.gather(
                *(
                    self.real.append(ledger, one.stream, one.expected, one.facts, command, b"h")
                    for one, command in asked
                ),
                return_exceptions=True,
            )

        done = [(answer, *one) for answer, one in zip(self.run(all_at_once()), asked, strict=True)]
        won = sorted((one for one in done if not isinstance(one[0], Exception)), key=lambda one: one[0].first)
        for answer, one, command in won:
            assert self.run(self.twin.append(ledger, one.stream, one.expected, one.facts, command, b"h")) == answer
        for answer, one, _ in done:
            if isinstance(answer, Exception):
                with pytest.raises(type(answer)):
                    self.run(self.twin.append(ledger, one.stream, one.expected, one.facts, None))

    @rule(ledger=LEDGERS, back=st.integers(0, 12), limit=st.integers(1, 8))
    def read(self, ledger, back, limit):
        after = max(0, self.run(self.twin.head(ledger)) - back)
        reals, twins = (self.run(store.read(ledger, after, limit)) for store in (self.real, self.twin))
        assert [told(one) for one in reals] == [told(one) for one in twins]

    @invariant()
    def ledgers_are_sound(self):
        for ledger, start in self.start.items():
            head = self.both(lambda store, ledger=ledger: store.head(ledger))
            records = self.run(self.real.read(ledger, start, head - start + 1))
            assert [one.position for one in records] == list(range(start + 1, head + 1))
            last = {}
            for one in records:
                assert (one.version, one.prev) == (last.get(one.stream, (0, 0))[0] + 1, last.get(one.stream, (0, 0))[1])
                last[one.stream] = (one.version, one.position)

    def teardown(self):
        for ledger in self.start:
            for stream in ("a:1", "b:1", "z:1"):
                name = self.name(stream)
                reals, twins = (self.run(store.load(ledger, name)) for store in (self.real, self.twin))
                assert [told(one) for one in reals] == [told(one) for one in twins]
                self.both(lambda store, ledger=ledger, name=name: store.stream_head(ledger, name))


def test_the_store_and_its_twin_answer_alike(database):
    loop = asyncio.new_event_loop()
    engine = open_engine(database(prepare=prepare).app_url, autocommit=True)
    machine = type("Machine", (Stores,), {"real": PostgresEventStore(engine), "run": loop.run_until_complete})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
    finally:
        loop.run_until_complete(engine.dispose())
        loop.close()
