"""Asking for compute, giving it back, and who holds what."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.session import views
from letopis.registry.session.decider import (
    SESSIONS,
    CloseSession,
    OpenSession,
    SessionsChanged,
    SessionUnknown,
    Share,
)

router = APIRouter(prefix="/v1/sessions", tags=["session"])

Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class SessionIn(Body):
    cores: Annotated[int, Field(ge=1, le=100_000)]
    memory_gb: Annotated[int, Field(ge=1, le=10_000_000)]
    environment: Annotated[str, Field(max_length=200)] = ""


class SessionOut(BaseModel):
    session_id: str
    login: str
    cores: int
    memory_gb: int
    environment: str


@router.post("", status_code=201, response_model=Receipt, responses=problems(SessionsChanged))
async def open_session(body: SessionIn, call: Annotated[Call, governed("registry.session.open")]) -> Response:
    """A session for the caller, inside the limits of their roles and their quota."""
    login = call.caller.login
    held = (await call.load(SESSIONS, login)).state.held
    authorization = await call.authorize(
        Object(type="session", id=login, attributes={"cores": body.cores, "memory_gb": body.memory_gb}),
        facts={"held": {"cores": held.cores, "memory_gb": held.memory_gb}},
    )
    command = OpenSession(
        session_id=call.new_id(),
        login=login,
        share=Share(cores=body.cores, memory_gb=body.memory_gb),
        environment=body.environment,
        counted_on=held,
    )
    return call.receipt(await call.handle(SESSIONS, login, command, authorization))


@router.post("/{login}/{session_id}/close", status_code=201, response_model=Receipt, responses=problems(SessionUnknown))
async def close_session(
    login: Login, session_id: str, call: Annotated[Call, governed("registry.session.close")]
) -> Response:
    authorization = await call.authorize(Object(type="session", id=login))
    command = CloseSession(session_id=session_id, closed_by=call.caller.login)
    return call.receipt(await call.handle(SESSIONS, login, command, authorization))


@router.get("")
async def sessions(call: Annotated[Call, governed("registry.session.list")]) -> list[SessionOut]:
    await call.authorize(Object(type="session", id="*"))
    return [SessionOut(**one) for one in await views.everything(call.views)]
