"""The inputs of a decision, opened for a person who may see them and says what for."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.common.sealing import KeysAway, is_sealed, key_ids, opened_record
from letopis.inference.decision import views
from letopis.inference.decision.events import FACTS
from letopis.inference.reveal.decider import REVEAL, RevealDecision

router = APIRouter(prefix="/v1/decisions", tags=["decision"])


class RevealOut(BaseModel):
    """`erased`: the client's key was destroyed; `inputs` is null then, for ever."""

    decision_id: str
    subject: str
    erased: bool
    inputs: dict[str, Any] | None


@router.post(
    "/{decision_id}/reveals", status_code=201, response_model=RevealOut, responses=problems(NotFound, KeysAway)
)
async def reveal(decision_id: UUID, call: Annotated[Call, governed("inference.reveal.decision")]) -> Response:
    """Recorded before it is shown; the answer to a repeated Idempotency-Key is the receipt alone."""
    authorization = await call.authorize(Object(type="decision", id=str(decision_id)))
    position = await views.position_of(call.views, decision_id)
    if position is None:
        raise NotFound(f"there is no decision {decision_id}; it may not have been shipped to the ledger yet")
    (record,) = await call.resources.store.read("decisions", position - 1, 1)
    keys = await call.resources.keyring.keys(key_ids(record.data))
    told = msgspec.json.decode(opened_record(record, FACTS, keys).data)
    marked = FACTS.marked(record.type, record.schema_version)
    subject, erased = marked["inputs"].format_map(told), is_sealed(told["inputs"])
    command = RevealDecision(
        decision_id=str(decision_id),
        subject=subject,
        fields=tuple(sorted(marked)),
        erased=erased,
        by=call.caller.person,
    )
    handled = await call.handle(REVEAL, str(decision_id), command, authorization)
    shown = RevealOut(
        decision_id=str(decision_id), subject=subject, erased=erased, inputs=None if erased else told["inputs"]
    )
    return Response(
        shown.model_dump_json(),
        status_code=201,
        media_type="application/json",
        headers={"letopis-position": f"{handled.ledger}/{handled.position}", "cache-control": "no-store"},
    )
