"""Facts and views of no service, on which the machinery is tried."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, MetaData, Table, Text

from letopis.common.envelope import Actor, Meta, NewFact, Record, encode_meta
from letopis.common.handling import new_fact
from letopis.common.projecting import Rows, Told, View
from letopis.common.sealing import Sealer
from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    account: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    account: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    account: str
    names: list[str]


MONEY = Catalogue([("money.account.deposited", 1, Deposited), ("money.account.reversed", 1, Reversed)])
NAMES = Catalogue([("names.account.named", 1, Named)])
META = encode_meta(Meta(actor=Actor(person="p-1", login="anna")))


class Balances(View):
    """Two tables, two ledgers, rows that come, change and go."""

    name = "balances"
    version = 1
    metadata = MetaData()
    account = Table(
        "account",
        metadata,
        Column("account", Text, primary_key=True),
        Column("amount", BigInteger, nullable=False),
        Column("names", JSON, nullable=False),
        Column("at", DateTime(timezone=True)),
    )
    entry = Table(
        "entry",
        metadata,
        Column("account", Text, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        Column("amount", BigInteger, nullable=False, index=True),
    )
    sources = {"money": MONEY, "names": NAMES}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        yield self.account, (told.fact.account,)
        if isinstance(told.fact, Deposited):
            yield self.entry, (told.fact.account, told.record.position)
        elif isinstance(told.fact, Reversed):
            yield self.entry, (told.fact.account, told.fact.position)

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.account,)
        row = rows[self.account, key] or {"account": fact.account, "amount": 0, "names": [], "at": None}
        match fact:
            case Deposited():
                place = (fact.account, told.record.position)
                rows[self.entry, place] = {"account": place[0], "position": place[1], "amount": fact.amount}
                rows[self.account, key] = {**row, "amount": row["amount"] + fact.amount, "at": told.record.recorded_at}
            case Reversed():
                entry = rows[self.entry, (fact.account, fact.position)]
                if entry is not None:
                    del rows[self.entry, (fact.account, fact.position)]
                    rows[self.account, key] = {**row, "amount": row["amount"] - entry["amount"]}
            case Named():
                rows[self.account, key] = {**row, "names": fact.names}
            case _:
                pass


class Turnovers(View):
    """Rows that facts of one stream alone touch, so that several processes may build it."""

    name = "turnovers"
    version = 1
    metadata = MetaData()
    turnover = Table(
        "turnover",
        metadata,
        Column("account", Text, primary_key=True),
        Column("amounts", JSON, nullable=False),
        Column("last", BigInteger, nullable=False, index=True),
    )
    sources = {"money": MONEY}
    shares = "stream"

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        yield self.turnover, (told.fact.account,)

    def project(self, rows: Rows, told: Told) -> None:
        key = (told.fact.account,)
        row = rows[self.turnover, key] or {"account": key[0], "amounts": []}
        match told.fact:
            case Deposited():
                changed = {"amounts": (*row["amounts"], told.fact.amount), "last": told.record.position}
                rows[self.turnover, key] = {**row, **changed}
            case Reversed():
                del rows[self.turnover, key]
            case _:
                pass


def facts(catalogue: Catalogue, *told: object, sealer: Sealer | None = None) -> list[NewFact]:
    """Facts ready to be appended."""
    return [new_fact(catalogue, one, META, sealer) for one in told]


def records(ledger: str, told: Sequence[NewFact], after: int = 0) -> list[Record]:
    """Records as a store would have them, all in one stream, a second apart."""
    return [
        Record(
            ledger=ledger,
            position=position,
            stream="sample:1",
            version=position,
            prev=position - 1,
            event_id=fact.event_id,
            type=fact.type,
            schema_version=fact.schema_version,
            recorded_at=datetime.fromtimestamp(1_800_000_000 + position, UTC),
            command_id=None,
            salt=fact.salt,
            data=fact.data,
            meta=fact.meta,
        )
        for position, fact in enumerate(told, after + 1)
    ]
