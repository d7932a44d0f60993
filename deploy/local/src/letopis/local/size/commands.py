"""`letopis size`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from letopis.local import control
from letopis.local.size.forecast import PLACES, Size, Sizes


def size(
    *,
    times: float = 2,
    data_dir: Annotated[Path, Parameter(env_var="LETOPIS_DATA_DIR")] = Path(".letopis"),
) -> int:
    """Say what a fact costs in bytes in every place, and what more facts will cost.

    Parameters
    ----------
    times
        Forecast for so many times the facts that there are now.
    """
    data = data_dir.absolute()
    if not control.running(data):
        sys.stderr.write(f"no stack runs over {data}; `letopis up` starts one\n")
        return 3
    from letopis.local.backup.restoring import plan_of
    from letopis.local.environment import open_secrets
    from letopis.local.size.measuring import measure

    plan = plan_of(data)
    show(asyncio.run(measure(plan, open_secrets(plan))), times)
    return 0


def show(sizes: Sizes, times: float) -> None:
    """A row a ledger in bytes a fact, a row a view in bytes, and the forecast."""
    out = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("ledger", "facts", *(place for place in PLACES if place != "views"), "a fact", "all, bytes")
    for one in sizes.ledgers:
        parts = [f"{one.a_fact(place):,.0f}" for place in PLACES if place != "views"]
        table.add_row(one.ledger, f"{one.facts:,}", *parts, f"{one.a_fact():,.0f}", f"{one.whole.bytes:,}")
    out.print(table)
    views = Table("view", "bytes")
    for name, size in sizes.views.items():
        views.add_row(name, f"{size.bytes:,}")
    out.print(views)
    whole = sum(sizes.views.values(), Size())
    out.print(f"views {whole.bytes:,} bytes; journal {sizes.journal:,} bytes, which do not grow with the past")
    if sizes.a_journal_record:
        out.print(f"a decision passes the journal with {sizes.a_journal_record:,.0f} bytes")
    out.print(f"all {sizes.bytes:,} bytes; for {times:g} times the facts {sizes.times(times):,} bytes")
