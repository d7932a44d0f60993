"""Lending a role, taking it back, and who stands for whom."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.delegation import views
from letopis.registry.delegation.decider import (
    DELEGATION,
    DelegationUnknown,
    EndDelegation,
    GiveDelegation,
    Given,
    NotOwnRole,
    ToOneself,
)
from letopis.registry.principal.decider import PRINCIPAL, Registered

router = APIRouter(prefix="/v1/delegations", tags=["delegation"])


class DelegationIn(Body):
    """Which of the caller's own roles, to whom, and the last day (UTC)."""

    login: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:._-]{0,63}$")]
    role: str
    until: date
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class DelegationOut(BaseModel):
    delegation_id: str
    login: str
    person: str
    by_login: str
    by_person: str
    role: str
    until: str
    reason: str


@router.post("", status_code=201, response_model=Receipt, responses=problems(NotFound, NotOwnRole, ToOneself))
async def give(body: DelegationIn, call: Annotated[Call, governed("registry.delegation.give")]) -> Response:
    """The caller lends one of their own roles; nobody lends another's."""
    to = (await call.load(PRINCIPAL, body.login)).state
    if not isinstance(to, Registered):
        raise NotFound(f"there is no principal {body.login}")
    own = await call.load(PRINCIPAL, call.caller.login)
    lent = {role for role, _ in call.caller.behalf}
    authorization = await call.authorize(
        Object(
            type="principal",
            id=body.login,
            attributes={
                "kind": to.kind,
                "roles": [body.role],
                "held": sorted(to.roles),
                "days": (body.until - call.now().date()).days,
            },
        )
    )
    command = GiveDelegation(
        delegation_id=call.new_id(),
        login=to.login,
        person=to.person,
        by_login=call.caller.login,
        by_person=call.caller.person,
        own_roles=(call.caller.roles - lent) if isinstance(own.state, Registered) else frozenset(),
        role=body.role,
        until=body.until,
        reason=body.reason,
    )
    return call.receipt(await call.handle(DELEGATION, command.delegation_id, command, authorization))


@router.post("/{delegation_id}/end", status_code=201, response_model=Receipt, responses=problems(DelegationUnknown))
async def end(delegation_id: str, call: Annotated[Call, governed("registry.delegation.end")]) -> Response:
    """Given back by who borrowed, taken back by who lent, or ended by a security officer."""
    state = (await call.load(DELEGATION, delegation_id)).state
    parties = {state.fact.person, state.fact.by_person} if isinstance(state, Given) else set()
    authorization = await call.authorize(
        Object(type="delegation", id=delegation_id), facts={"party": call.caller.person in parties}
    )
    command = EndDelegation(by=call.caller.person)
    return call.receipt(await call.handle(DELEGATION, delegation_id, command, authorization))


@router.get("")
async def delegations(call: Annotated[Call, governed("registry.delegation.list")]) -> list[DelegationOut]:
    """What is lent today."""
    await call.authorize(Object(type="delegation", id="*"))
    return [DelegationOut(**one) for one in await views.in_force(call.views, call.now().date())]
