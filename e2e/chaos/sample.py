"""The little bank of the chaos runs: deposits in one service, payouts in another, decisions in a journal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from letopis.common.decider import Aggregate, Decider
from letopis.common.projecting import Rows, Told, View
from letopis.common.serialization import Catalogue
from letopis.inference.decision.events import DecisionMade


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    account: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    account: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    account: str
    amount: int


MONEY = Catalogue([("registry.account.deposited", 1, Deposited), ("registry.account.charged", 1, Charged)])
PAYOUTS = Catalogue([("inference.payout.made", 1, PaidOut)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """A deposit and its fee: two facts of one command."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOut:
    account: str
    amount: int


def _deposit(state: int, command: Deposit) -> Sequence[Any]:
    return [
        Deposited(account=command.account, amount=command.amount),
        Charged(account=command.account, amount=1),
    ]


def _pay_out(state: int, command: PayOut) -> Sequence[Any]:
    return [PaidOut(account=command.account, amount=command.amount)]


ACCOUNT = Aggregate("account", Decider(0, _deposit, lambda state, fact: state + 1), MONEY)
PAYOUT = Aggregate("payout", Decider(0, _pay_out, lambda state, fact: state + 1), PAYOUTS)


class Accounts(View):
    """Balances: nothing of them depends on the order in which the accounts were served."""

    name = "accounts"
    version = 1
    metadata = MetaData()
    table = Table(
        "account",
        metadata,
        Column("account", Text, primary_key=True),
        Column("amount", BigInteger, nullable=False),
        Column("facts", BigInteger, nullable=False, index=True),
    )
    sources = {"registry": MONEY}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.account,))]

    def project(self, rows: Rows, told: Told) -> None:
        key = (told.fact.account,)
        row = rows[self.table, key] or {"account": key[0], "amount": 0, "facts": 0}
        sign = 1 if isinstance(told.fact, Deposited) else -1
        amount = row["amount"] + sign * told.fact.amount
        rows[self.table, key] = {"account": key[0], "amount": amount, "facts": row["facts"] + 1}


class Flows(View):
    """What came in by one service's ledger and went out by another's."""

    name = "flows"
    version = 1
    metadata = MetaData()
    table = Table(
        "flow",
        metadata,
        Column("account", Text, primary_key=True),
        Column("come", BigInteger, nullable=False),
        Column("gone", BigInteger, nullable=False),
    )
    sources = {"registry": MONEY, "inference": PAYOUTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [] if isinstance(told.fact, Charged) else [(self.table, (told.fact.account,))]

    def project(self, rows: Rows, told: Told) -> None:
        if isinstance(told.fact, Charged):
            return
        key = (told.fact.account,)
        row = rows[self.table, key] or {"account": key[0], "come": 0, "gone": 0}
        side = "come" if isinstance(told.fact, Deposited) else "gone"
        rows[self.table, key] = {**row, side: row[side] + told.fact.amount}


def decision(number: int) -> DecisionMade:
    """A score of no model."""
    return DecisionMade(
        application="cards",
        api_version="v1",
        model_id="none",
        version_id="none.1",
        version_digest="0" * 64,
        consumer="bank-app",
        entity="account_id",
        entity_id=str(number),
        inputs={"limit": float(number), "age": number % 90},
        looked_up=(),
        score=(number % 1000) / 1000,
        cutoff=0.5,
        decision="approve" if number % 2 else "refuse",
        reasons=None,
        decided_at=datetime.now(UTC),
        as_of=None,
        kind="single",
        job_id="",
        row=None,
    )
