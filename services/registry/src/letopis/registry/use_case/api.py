"""Intake of use cases."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.envelope import Authorization
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.use_case import views
from letopis.registry.use_case.decider import (
    USE_CASE,
    ApproveUseCase,
    OwnUseCase,
    ProposeUseCase,
    RejectUseCase,
    Unproposed,
    UseCaseDecided,
    UseCaseExists,
    UseCaseUnknown,
)
from letopis.registry.use_case.events import Domain, Materiality, Reach

router = APIRouter(prefix="/v1/use-cases", tags=["use case"])

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class UseCaseIn(Body):
    use_case_id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    goal: Annotated[str, Field(min_length=1, max_length=4000)]
    owner: Annotated[str, Field(min_length=1, max_length=64)]
    decision_domain: Domain
    customer_reach: Reach
    materiality: Materiality


class VerdictIn(Body):
    comment: str = ""


class UseCaseOut(BaseModel):
    use_case_id: str
    name: str
    goal: str
    owner: str
    proposer: str
    decision_domain: str
    customer_reach: str
    materiality: str
    tier: int
    state: str
    decided_by: str | None


@router.post("", status_code=201, response_model=Receipt, responses=problems(UseCaseExists))
async def propose(body: UseCaseIn, call: Annotated[Call, governed("registry.use_case.propose")]) -> Response:
    authorization = await call.authorize(Object(type="use_case", id=body.use_case_id))
    command = ProposeUseCase(**body.model_dump(), proposer=call.caller.person)
    return call.receipt(await call.handle(USE_CASE, body.use_case_id, command, authorization))


@router.post(
    "/{use_case_id}/approvals",
    status_code=201,
    response_model=Receipt,
    responses=problems(UseCaseUnknown, OwnUseCase, UseCaseDecided),
)
async def approve(
    use_case_id: Slug, body: VerdictIn, call: Annotated[Call, governed("registry.use_case.approve")]
) -> Response:
    authorization = await _judge(call, use_case_id)
    command = ApproveUseCase(approver=call.caller.person, comment=body.comment)
    return call.receipt(await call.handle(USE_CASE, use_case_id, command, authorization))


@router.post(
    "/{use_case_id}/rejections",
    status_code=201,
    response_model=Receipt,
    responses=problems(UseCaseUnknown, OwnUseCase, UseCaseDecided),
)
async def reject(
    use_case_id: Slug, body: VerdictIn, call: Annotated[Call, governed("registry.use_case.reject")]
) -> Response:
    authorization = await _judge(call, use_case_id)
    command = RejectUseCase(approver=call.caller.person, comment=body.comment)
    return call.receipt(await call.handle(USE_CASE, use_case_id, command, authorization))


async def _judge(call: Call, use_case_id: str) -> Authorization:
    state = (await call.load(USE_CASE, use_case_id)).state
    if isinstance(state, Unproposed):
        raise UseCaseUnknown
    return await call.authorize(Object(type="use_case", id=use_case_id), facts={"proposer": state.proposer})


@router.get("")
async def use_cases(call: Annotated[Call, governed("registry.use_case.list")]) -> list[UseCaseOut]:
    await call.authorize(Object(type="use_case", id="*"))
    return [UseCaseOut(**one) for one in await views.everything(call.views)]
