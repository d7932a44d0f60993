"""The name of a principal, opened for a person who may see it and says what for."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.common.sealing import KeysAway, is_sealed, key_ids, opened_record
from letopis.registry.principal.decider import PRINCIPAL
from letopis.registry.reveal.decider import REVEAL, RevealPrincipal

router = APIRouter(prefix="/v1/principals", tags=["principal"])
REGISTERED = "registry.principal.registered"


class RevealOut(BaseModel):
    """`erased`: the person's key was destroyed; `name` is null then, for ever."""

    login: str
    subject: str
    erased: bool
    name: str | None


@router.post("/{login}/reveals", status_code=201, response_model=RevealOut, responses=problems(NotFound, KeysAway))
async def reveal(login: str, call: Annotated[Call, governed("registry.reveal.principal")]) -> Response:
    """Recorded before it is shown; the answer to a repeated Idempotency-Key is the receipt alone."""
    authorization = await call.authorize(Object(type="principal", id=login))
    records = await call.resources.store.load("registry", PRINCIPAL.stream(login))
    record = next((one for one in reversed(records) if one.type == REGISTERED), None)
    if record is None:
        raise NotFound(f"there is no principal {login}")
    keys = await call.resources.keyring.keys(key_ids(record.data))
    told = msgspec.json.decode(opened_record(record, PRINCIPAL.facts, keys).data)
    subject = PRINCIPAL.facts.marked(record.type, record.schema_version)["name"].format_map(told)
    erased = is_sealed(told["name"])
    command = RevealPrincipal(login=login, subject=subject, erased=erased, by=call.caller.person)
    handled = await call.handle(REVEAL, login, command, authorization)
    shown = RevealOut(login=login, subject=subject, erased=erased, name=None if erased else told["name"])
    return Response(
        shown.model_dump_json(),
        status_code=201,
        media_type="application/json",
        headers={"letopis-position": f"{handled.ledger}/{handled.position}", "cache-control": "no-store"},
    )
