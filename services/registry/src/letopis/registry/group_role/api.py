"""Proposing and approving what a group opens."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.group_role.decider import (
    GROUP_ROLE,
    ApproveGroupRoles,
    OwnProposal,
    ProposalUnknown,
    ProposeGroupRoles,
)
from letopis.registry.principal.decider import RoleUnknown

router = APIRouter(prefix="/v1/groups", tags=["group_role"])

Group = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:-]{0,99}$")]


class GroupRolesIn(Body):
    """All roles that members have by the group; none takes them away."""

    roles: Annotated[tuple[str, ...], Field(max_length=20)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class GroupRolesOut(BaseModel):
    group: str
    roles: list[str]
    proposal_id: str
    proposed: list[str]
    proposed_by: str


@router.post("/{group}/role-proposals", status_code=201, response_model=Receipt, responses=problems(RoleUnknown))
async def propose(
    group: Group, body: GroupRolesIn, call: Annotated[Call, governed("registry.group_role.propose")]
) -> Response:
    authorization = await call.authorize(Object(type="group", id=group, attributes={"roles": sorted(set(body.roles))}))
    command = ProposeGroupRoles(
        proposal_id=call.new_id(), group=group, roles=body.roles, reason=body.reason, by=call.caller.person
    )
    return call.receipt(await call.handle(GROUP_ROLE, group, command, authorization))


@router.post(
    "/{group}/role-proposals/{proposal_id}/approvals",
    status_code=201,
    response_model=Receipt,
    responses=problems(ProposalUnknown, OwnProposal),
)
async def approve(
    group: Group, proposal_id: str, call: Annotated[Call, governed("registry.group_role.approve")]
) -> Response:
    state = (await call.load(GROUP_ROLE, group)).state
    if state.proposed is None or state.proposed.proposal_id != proposal_id:
        raise ProposalUnknown
    authorization = await call.authorize(
        Object(type="group", id=group, attributes={"roles": list(state.proposed.roles)}),
        facts={"proposed_by": state.proposed.by, "mfa_age": call.mfa_age()},
    )
    command = ApproveGroupRoles(proposal_id=proposal_id, by=call.caller.person)
    return call.receipt(await call.handle(GROUP_ROLE, group, command, authorization))


@router.get("/{group}/roles")
async def roles(group: Group, call: Annotated[Call, governed("registry.group_role.read")]) -> GroupRolesOut:
    await call.authorize(Object(type="group", id=group))
    state = (await call.load(GROUP_ROLE, group)).state
    asked = state.proposed
    return GroupRolesOut(
        group=group,
        roles=sorted(state.roles),
        proposal_id=asked.proposal_id if asked else "",
        proposed=list(asked.roles) if asked else [],
        proposed_by=asked.by if asked else "",
    )
