"""Old facts stay readable: a chain of upcasts, and golden bytes that notice what would break it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from letopis.common.clock import FixedClock
from letopis.common.decider import Aggregate, Decider
from letopis.common.envelope import NewFact
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.handling import Desk
from letopis.common.ids import salt, uuid7
from letopis.common.serialization import Catalogue, UnknownFact, Upcast
from letopis.common.testing.golden import check_golden

AT = datetime(2026, 11, 21, tzinfo=UTC)
NAME = "money.account.opened"
# What the first and the second release stored.
FIRST = b'{"owner":"Anna Petrova"}'
SECOND = b'{"family":"Petrova","given":"Anna"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The third shape: names as a list, and a currency."""

    names: tuple[str, ...]
    currency: str


def split(old):
    given, _, family = old["owner"].partition(" ")
    return {"given": given, "family": family}


def listed(old):
    return {"names": [old["given"], old["family"]], "currency": "RUB"}


CHAIN = [Upcast(type=NAME, from_version=1, change=split), Upcast(type=NAME, from_version=2, change=listed)]
FACTS = Catalogue([(NAME, 3, Opened)], CHAIN)


@pytest.fixture
def released(tmp_path):
    (tmp_path / f"{NAME}.1.json").write_bytes(FIRST + b"\n")
    (tmp_path / f"{NAME}.2.json").write_bytes(SECOND + b"\n")
    (tmp_path / f"{NAME}.3.json").write_text('{"currency":"Текст","names":["Текст"]}\n', "utf-8")
    return tmp_path


class TestUpcasts:
    @pytest.mark.parametrize(("version", "data"), [(1, FIRST), (2, SECOND)])
    def test_lead_step_by_step_to_the_shape_of_today(self, version, data):
        assert FACTS.decode(NAME, version, data) == Opened(names=("Anna", "Petrova"), currency="RUB")

    def test_a_chain_with_a_missing_step_reads_nothing(self):
        for kept, version in ((CHAIN[1:], 1), (CHAIN[:1], 1), (CHAIN[:1], 2)):
            with pytest.raises(UnknownFact):
                Catalogue([(NAME, 3, Opened)], kept).decode(NAME, version, FIRST if version == 1 else SECOND)

    async def test_a_stream_of_all_shapes_is_one_history(self):
        """The stored bytes stay as they are; only who reads them sees the shape of today."""
        store, now = MemoryEventStore(FixedClock(AT)), FACTS.encode(Opened(names=("Ivan",), currency="EUR"))
        shapes = [(1, FIRST), (2, SECOND), (3, now.data)]
        told = [
            NewFact(event_id=uuid7(), type=NAME, schema_version=version, salt=salt(), data=data, meta=b"{}")
            for version, data in shapes
        ]
        await store.append("money", "account:1", 0, told)
        account = Aggregate(
            "account", Decider((), lambda state, command: [], lambda state, fact: (*state, fact)), FACTS
        )
        loaded = await Desk(store, "money").load(account, "1")
        assert [(one.names, one.currency) for one in loaded.state] == [
            (("Anna", "Petrova"), "RUB"),
            (("Anna", "Petrova"), "RUB"),
            (("Ivan",), "EUR"),
        ]
        assert [(one.schema_version, one.data) for one in await store.read("money", 0, 3)] == shapes


class TestGolden:
    def test_every_released_version_is_read(self, released):
        check_golden({"money": FACTS}, released)

    def test_a_version_that_nobody_reads_is_noticed(self, released):
        with pytest.raises(UnknownFact):
            check_golden({"money": Catalogue([(NAME, 3, Opened)], CHAIN[1:])}, released)

    def test_a_fact_without_golden_bytes_is_noticed(self, released):
        (released / f"{NAME}.3.json").unlink()
        with pytest.raises(KeyError):
            check_golden({"money": FACTS}, released)

    def test_a_released_shape_that_changed_is_noticed(self, released):
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Opened:
            names: tuple[str, ...]
            currency: str
            tier: int = field(default=1)

        with pytest.raises(AssertionError):
            check_golden({"money": Catalogue([(NAME, 3, Opened)], CHAIN)}, released)
