"""What `rebuild VIEW` with its options asks for, and the sentence it answers."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.errors import Invalid
from letopis.common.following.source import Source
from letopis.common.private_files import make_private_folder, write_private
from letopis.common.projecting.comparing import Differences
from letopis.common.projecting.rebuild import give_back, rebuild_compared
from letopis.common.projecting.view import View

OPTIONS = "[--compare-only | --accept-differences REASON | --return]"
# More would share the database's processor time, and its connections, for nothing.
MOST = 4
_log = logging.getLogger(__name__)


class WrongOptions(Invalid):
    code = "projecting.options"
    title = f"A rebuild takes {OPTIONS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for; `accept` is the reason why differences are right."""

    compare_only: bool = False
    give_back: bool = False
    accept: str = ""


def wish(options: Sequence[str]) -> Wish:
    """What the options say; WrongOptions if they say nothing known."""
    match list(options):
        case []:
            return Wish()
        case ["--compare-only"]:
            return Wish(compare_only=True)
        case ["--return"]:
            return Wish(give_back=True)
        case ["--accept-differences", reason] if reason.strip():
            return Wish(accept=reason.strip())
        case _:
            raise WrongOptions(f"rebuild VIEW {OPTIONS}")


async def carry_out(
    view: type[View] | View, wished: Wish, sources: Mapping[str, Source], engine: AsyncEngine, reports: Path
) -> str:
    """Do it; a sentence for the one who asked. Reports of differences go into the folder, readable by its owner."""
    if wished.give_back:
        live = await give_back(view, sources, engine)
        return f"{view.name}: generation {live.number} is live again"
    written: list[Path] = []

    def report(told: Differences) -> None:
        if told.count:
            make_private_folder(reports)
            path = reports / f"{told.new}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
            write_private(path, told.text(wished.accept))
            written.append(path)
            extra = {"view": told.view, "rows": told.count, "report": str(path), "accepted": wished.accept}
            _log.warning("a rebuilt view differs from the live one", extra=extra)

    try:
        done = await rebuild_compared(
            view,
            sources,
            engine,
            swap=not wished.compare_only,
            accept=bool(wished.accept),
            report=report,
            processes=min(len(os.sched_getaffinity(0)), MOST),
        )
    except BaseException as error:
        for path in written:
            error.add_note(f"report: {path}")
        raise
    found = "nothing to compare it with" if done.differences is None else f"{done.differences.count:,} rows differ"
    state = "and live" if done.live else "and dropped again, the live one goes on"
    return "; ".join((f"{view.name}: rebuilt from {done.facts:,} facts {state}", found, *map(str, written)))
