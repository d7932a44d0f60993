"""The decision log as a file: what was decided of whom by which version, inputs left sealed, line by line."""

import json
from collections.abc import AsyncIterator
from typing import Any

from letopis.audit.history.reading import MADE
from letopis.audit.log.copy import CopyStore
from letopis.common.envelope import Record, time_text

WINDOW = 5000
TOLD = (
    *("application", "api_version", "model_id", "version_id", "version_digest", "consumer", "entity", "entity_id"),
    *("score", "cutoff", "decision", "reasons", "decided_at", "as_of", "kind", "job_id"),
)


async def lines(copies: CopyStore, after: int, upto: int, application: str) -> AsyncIterator[bytes]:
    """NDJSON of the decisions between two positions; memory holds one window of them."""
    condition = "type = %s AND position > %s AND position <= %s"
    while after < upto:
        end = min(upto, after + WINDOW)
        told = [_line(one, application) for one in await copies.select(condition, "decisions", MADE, after, end)]
        yield b"".join(told)
        after = end


def _line(record: Record, application: str) -> bytes:
    fact: dict[str, Any] = json.loads(record.data)
    if application not in ("", fact["application"]):
        return b""
    told = {
        "decision_id": str(record.event_id),
        "place": f"{record.ledger}/{record.position}",
        "recorded_at": time_text(record.recorded_at),
        **{name: fact[name] for name in TOLD},
        "inputs": "sealed",
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
