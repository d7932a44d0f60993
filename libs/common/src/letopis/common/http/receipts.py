"""What a command answers: a pure function of the facts it left, so a repeated command gets the same bytes."""

import json
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from letopis.common.handling import Handled


class FactOut(BaseModel):
    """A recorded fact: its stored name, its id, and its content exactly as recorded."""

    type: str
    event_id: str
    data: dict[str, Any]


class Receipt(BaseModel):
    """Where a command's facts stand; `position` is also the header Letopis-Position."""

    id: str
    stream: str
    version: int
    position: str
    facts: list[FactOut]


def receipt(handled: Handled) -> JSONResponse:
    """201 with the receipt."""
    position = f"{handled.ledger}/{handled.position}"
    body = {
        "id": handled.id,
        "stream": handled.stream,
        "version": handled.version,
        "position": position,
        "facts": [
            {"type": one.type, "event_id": str(one.event_id), "data": json.loads(one.data)} for one in handled.records
        ],
    }
    return JSONResponse(body, 201, {"Letopis-Position": position})
