"""Whose keys seal what: read from the sealed facts themselves, for searching, and for the key store to know."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.common.sealing.sealed import key_id
from letopis.inference.contract import DECISIONS
from letopis.registry.contract import PRINCIPAL

_FACTS = PRINCIPAL | DECISIONS


class SubjectKeys(View):
    """One row a key: the subject it belongs to, the kind of fact it seals, and where the first and last stand."""

    name = "subject_key"
    version = 1
    metadata = MetaData()
    table = Table(
        "subject_key",
        metadata,
        Column("key_id", Text, primary_key=True),
        Column("subject", Text, nullable=False),
        Column("ledger", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("facts", BigInteger, nullable=False),
        Column("first_position", BigInteger, nullable=False),
        Column("last_position", BigInteger, nullable=False),
        Column("first_at", Text, nullable=False),
        Column("last_at", Text, nullable=False),
        Index("subject_key_subject", "subject"),
        Index("subject_key_first", "ledger", "first_position"),
    )
    sources = {"registry": PRINCIPAL, "decisions": DECISIONS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (id,)) for id in self._sealed(told)]

    def project(self, rows: Rows, told: Told) -> None:
        record = told.record
        for id, subject in self._sealed(told).items():
            row = rows[self.table, (id,)] or {
                "key_id": id,
                "subject": subject,
                "ledger": record.ledger,
                "type": record.type,
                "facts": 0,
                "first_position": record.position,
                "first_at": time_text(record.recorded_at),
            }
            rows[self.table, (id,)] = row | {
                "facts": row["facts"] + 1,
                "last_position": record.position,
                "last_at": time_text(record.recorded_at),
            }

    def _sealed(self, told: Told) -> dict[str, str]:
        """The subject by key of every sealed field of the fact."""
        marked = _FACTS.personal(type(told.fact))
        return {
            key_id(getattr(told.fact, field)): template.format_map(_Fields(told.fact))
            for field, template in marked.items()
        }


class _Fields(dict[str, Any]):
    """The fields of a fact, as a template asks for them."""

    def __init__(self, fact: Any) -> None:
        super().__init__()
        self._fact = fact

    def __missing__(self, name: str) -> Any:
        return getattr(self._fact, name)


async def held(views: ViewReader, subject: str) -> list[dict[str, Any]]:
    """Everything sealed for a subject."""
    table = SubjectKeys.table
    query = select(table).where(table.c.subject == subject).order_by(table.c.ledger, table.c.first_position)
    return [dict(row) for row in await views.rows(SubjectKeys, query)]


async def after(views: ViewReader, ledger: str, position: int, limit: int) -> list[dict[str, Any]]:
    """Keys whose first fact stands after a position of a ledger, in order."""
    table = SubjectKeys.table
    query = select(table).where(table.c.ledger == ledger, table.c.first_position > position)
    rows = await views.rows(SubjectKeys, query.order_by(table.c.first_position).limit(limit))
    return [dict(row) for row in rows]
