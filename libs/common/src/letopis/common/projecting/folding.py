"""Folding a batch: which rows it touches, what they become, and which fact the view could not take."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import Table

from letopis.common.envelope import Record
from letopis.common.errors import LetopisError
from letopis.common.projecting.rows import Key, Row, Rows
from letopis.common.projecting.told import Told, tell
from letopis.common.projecting.view import View

Load = Callable[[Table, Sequence[Key]], Awaitable[Mapping[Key, Row]]]


class ViewStuck(LetopisError):
    """A view's code failed on a fact; the view stays where it is until the code is mended."""

    code = "projecting.stuck"
    title = "A view cannot take a fact"

    def __init__(self, view: str, record: Record) -> None:
        super().__init__(f"{view} at {record.ledger}/{record.position} {record.type}")
        self.position = record.position


async def fold(view: View, records: Sequence[Record], load: Load) -> Rows:
    """The touched rows after all facts of the batch; ViewStuck at the first fact the view cannot take."""
    facts = view.sources[records[0].ledger]
    batch: list[Told] = []
    keys: dict[Table, dict[Key, None]] = {}
    for record in records:
        try:
            if (told := tell(record, facts)) is not None:
                batch.append(told)
                for table, key in view.keys(told):
                    keys.setdefault(table, {})[key] = None
        except Exception as error:
            raise ViewStuck(view.name, record) from error
    loaded = {table: await load(table, list(asked)) for table, asked in keys.items()}

    def held() -> Rows:
        rows = Rows()
        for table, asked in keys.items():
            rows.hold(table, list(asked), loaded[table])
        return rows

    rows = held()
    try:
        view.fold(rows, batch)
    except Exception:  # noqa: BLE001 whatever the view raised
        # Once more from the start, fact by fact, to name the one that the view cannot take.
        rows = held()
        for told in batch:
            try:
                view.fold(rows, [told])
            except Exception as error:
                raise ViewStuck(view.name, told.record) from error
    return rows
