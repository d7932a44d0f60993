"""The real panel, and the service's parts over PostgreSQL."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import compute, parquet

# Tests are imported by path; what they share is loaded once under a name of its own.
_spec = importlib.util.spec_from_file_location("monitoring_story", Path(__file__).with_name("story.py"))
assert _spec is not None
assert _spec.loader is not None
story = importlib.util.module_from_spec(_spec)
sys.modules["monitoring_story"] = story
_spec.loader.exec_module(story)

PANEL = Path(__file__).parents[3] / "e2e" / "data" / "credit_panel.parquet"


@pytest.fixture(scope="session")
def panel() -> pa.Table:
    """All 30,000 accounts in six months."""
    return parquet.read_table(PANEL)


class Months:
    """The panel's first accounts as columns by month."""

    def __init__(self, table: pa.Table, accounts: int) -> None:
        self._table = table.filter(compute.less_equal(table["account_id"], accounts))

    def __getitem__(self, month: int) -> dict[str, Sequence[Any]]:
        chosen = self._table.filter(compute.equal(self._table["month"], date(2005, month, 1)))
        columns: dict[str, Sequence[Any]] = chosen.to_pydict()
        return columns

    @staticmethod
    def start(month: int) -> datetime:
        return datetime(2005, month, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def months(panel: pa.Table) -> Months:
    """2,000 accounts, as the journey's tests use them."""
    return Months(panel, 2_000)


@pytest.fixture(scope="session")
def all_months(panel: pa.Table) -> Months:
    return Months(panel, 30_000)


@pytest.fixture
async def service(database: Callable[..., Any]) -> AsyncIterator[Any]:
    """A service of its own, on a database of its own."""
    async with story.opened(database) as made:
        yield made
