"""What is parked, and releasing it: a person asks with a reason, another one agrees."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http.bodies import Body
from letopis.common.http.calling import Call
from letopis.common.http.governing import governed
from letopis.common.http.problems import problems
from letopis.common.http.receipts import Receipt
from letopis.common.parked.decider import (
    AgreeRelease,
    Asked,
    AskRelease,
    NothingAsked,
    OtherWayAsked,
    release,
)
from letopis.common.parked.shelf import Parked, ParkedShelf
from letopis.common.policy.verdict import Object


class NotParked(NotFound):
    """Nothing is parked under this id now: it went through, or was passed over."""

    code = "parked.not_parked"
    title = "This fact is not parked; it went through or was skipped"


class AskedOut(BaseModel):
    way: Literal["retry", "skip"]
    reason: str
    person: str


class ParkedOut(BaseModel):
    """A fact that a reaction could not take; `waiting` facts of its stream stand behind it."""

    parked_id: str
    reaction: str
    ledger: str
    position: int
    stream: str
    type: str
    event_id: str
    error: str
    attempts: int
    parked_at: datetime
    waiting: int
    asked: AskedOut | None


class ParkedList(BaseModel):
    parked: list[ParkedOut]


class RequestIn(Body):
    way: Literal["retry", "skip"]
    reason: Annotated[str, Field(max_length=2000)]


class AgreementIn(Body):
    """What is agreed to; if something else was asked meanwhile, nothing happens."""

    way: Literal["retry", "skip"]


def parked_doors(service: str) -> APIRouter:
    """`GET /v1/parked`, `POST /v1/parked/{id}/requests` and `/agreements`, under actions `<service>.parked.*`."""
    router = APIRouter(prefix="/v1/parked", tags=["parked"])
    aggregate = release(service)

    @router.get("")
    async def list_parked(call: Annotated[Call, governed(f"{service}.parked.read")]) -> ParkedList:
        await call.authorize(Object(type="parked", id=service))
        found = await _shelf(call).failed()
        return ParkedList(parked=[await _told(call, one) for one in found])

    @router.post("/{parked_id}/requests", status_code=201, response_model=Receipt, responses=problems(NotParked))
    async def ask_release(
        parked_id: str, body: RequestIn, call: Annotated[Call, governed(f"{service}.parked.ask")]
    ) -> Response:
        """Ask for a retry, when what failed is mended, or to skip the fact for this reaction; another person agrees."""
        object = Object(type="parked", id=parked_id, attributes={"way": body.way})
        authorization = await call.authorize(object, facts={"reason": body.reason})
        found = await _find(call, parked_id)
        command = AskRelease(
            parked_id=parked_id,
            reaction=found.reaction,
            ledger=found.ledger,
            position=found.position,
            stream=found.stream,
            type=found.type,
            event_id=found.event_id,
            way=body.way,
            reason=body.reason.strip(),
            person=call.caller.person,
        )
        return call.receipt(await call.handle(aggregate, parked_id, command, authorization))

    @router.post(
        "/{parked_id}/agreements",
        status_code=201,
        response_model=Receipt,
        responses=problems(NotParked, NothingAsked, OtherWayAsked),
    )
    async def agree_release(
        parked_id: str, body: AgreementIn, call: Annotated[Call, governed(f"{service}.parked.agree")]
    ) -> Response:
        """Agree to what another person asked; it happens within seconds."""
        await _find(call, parked_id)
        asked = (await call.load(aggregate, parked_id)).state
        if not isinstance(asked, Asked):
            raise NothingAsked
        object = Object(type="parked", id=parked_id, attributes={"way": asked.by.way})
        authorization = await call.authorize(object, facts={"asked_by": asked.by.person})
        command = AgreeRelease(way=body.way, person=call.caller.person)
        return call.receipt(await call.handle(aggregate, parked_id, command, authorization))

    async def _told(call: Call, one: Parked) -> ParkedOut:
        state = (await call.load(aggregate, one.id)).state
        asked = None
        if isinstance(state, Asked):
            asked = AskedOut(way=state.by.way, reason=state.by.reason, person=state.by.person)
        return ParkedOut(
            parked_id=one.id,
            reaction=one.reaction,
            ledger=one.ledger,
            position=one.position,
            stream=one.stream,
            type=one.type,
            event_id=one.event_id,
            error=one.error,
            attempts=one.attempts,
            parked_at=one.parked_at,
            waiting=one.waiting,
            asked=asked,
        )

    return router


def _shelf(call: Call) -> ParkedShelf:
    return ParkedShelf(call.resources.store.engine)


async def _find(call: Call, parked_id: str) -> Parked:
    if (found := await _shelf(call).find(parked_id)) is None:
        raise NotParked(f"nothing is parked under {parked_id}")
    return found
