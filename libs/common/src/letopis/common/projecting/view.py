"""What a read model is: tables, the ledgers it follows, and a fold over their facts."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, Literal

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql

from letopis.common.projecting.rows import Rows, ViewError
from letopis.common.projecting.told import Facts, Told

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class View(ABC):
    """A keyed fold: `keys` names the rows a fact touches, `project` changes them; nothing else is read or written.

    Folding MUST commute across ledgers: facts of two ledgers may come in any interleaving. What depends on an
    order between ledgers is decided as a fact of one's own. When the logic changes, raise `version`: the new
    version is built beside the old one. A change of the tables alone is noticed.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    metadata: ClassVar[MetaData]
    sources: ClassVar[Mapping[str, Facts]]
    # What may be divided among processes when the view of one ledger is built: rows that one "fact" touches are touched
    # by no other, or rows that a "stream" touches by no other stream. Without it one process builds it all.
    shares: ClassVar[Literal["", "fact", "stream"]] = ""

    @abstractmethod
    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        """The rows that this fact reads or changes: tables with primary keys."""

    @abstractmethod
    def project(self, rows: Rows, told: Told) -> None:
        """Change the rows; pure but for them."""

    def fold(self, rows: Rows, batch: Sequence[Told]) -> None:
        """Change the rows by facts in their order. A view that counts by the thousand may do it at once.

        The result MUST NOT depend on where batches are cut.
        """
        for told in batch:
            self.project(rows, told)

    @classmethod
    def tables(cls) -> tuple[Table, ...]:
        return tuple(cls.metadata.sorted_tables)

    @classmethod
    def shape(cls) -> str:
        """A digest of tables, columns and ledgers: two programs that agree on it can share a schema."""
        return _shape(cls)


@cache
def _shape(view: type[View]) -> str:
    """Spelled once a class: every read of a view asks for it."""
    told = [",".join(sorted(view.sources))]
    for table in view.tables():
        for column in table.columns:
            kind = column.type.compile(dialect=_DIALECT)
            told.append(f"{table.name}.{column.name} {kind} {column.nullable} {column.primary_key}")
        told += sorted(f"{index.name} {index.unique} {index.columns.keys()}" for index in table.indexes)
    return sha256("\n".join(told).encode()).hexdigest()[:16]


def checked(view: type[View] | View) -> View:
    """An instance of the view, if it is well formed; ViewError if not."""
    view = view() if isinstance(view, type) else view
    if not _NAME.match(view.name):
        raise ViewError(f"{view.name!r} is no name for a view: lower case, at most 40 characters")
    for table in view.tables():
        if table.schema is not None or not table.primary_key.columns:
            raise ViewError(f"{table.name} needs a primary key and no schema")
    if view.shares and len(view.sources) > 1:
        raise ViewError(f"{view.name} has shares, so it may follow one ledger alone")
    return view
