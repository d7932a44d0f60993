"""What a heartbeat says, pure: ledgers against copies against signed heads, and the text that is signed."""

from collections.abc import Mapping
from datetime import datetime

from letopis.audit.voice.events import Counted
from letopis.common.envelope import time_text

FORMAT = "letopis-heartbeat-v1"


def missing(before: Mapping[str, Counted], now: Mapping[str, Counted]) -> tuple[str, ...]:
    """What is not as it must be, ledger by ledger; what was at the owner a minute ago MUST be sealed by now."""
    found = []
    for ledger, count in sorted(now.items()):
        past = before.get(ledger)
        if count.halted:
            found.append(f"{ledger}: stands still, an incident is open")
        if count.owner is None:
            found.append(f"{ledger}: its owner does not answer")
        elif count.copied > count.owner:
            found.append(f"{ledger}: its owner has {count.owner}, {count.copied} were copied")
        if past is not None and past.owner is not None and count.copied < past.owner:
            found.append(f"{ledger}: {past.owner} were there a minute ago, {count.copied} are copied")
        elif past is not None and past.owner is not None and count.sealed < past.owner:
            found.append(f"{ledger}: {past.owner} were there a minute ago, {count.sealed} are sealed")
    return tuple(found)


def text(number: int, at: datetime, counts: Mapping[str, Counted], wrong: tuple[str, ...]) -> str:
    """The text of the note: what was counted, line by line, and what is missing."""
    lines = [FORMAT, str(number), time_text(at), "complete" if not wrong else "incomplete"]
    lines += [
        f"{ledger} {'-' if one.owner is None else one.owner} {one.copied} {one.sealed}"
        for ledger, one in sorted(counts.items())
    ]
    return "\n".join((*lines, *(f"missing {one}" for one in wrong))) + "\n"
