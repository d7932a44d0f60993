"""The roles of one group: one person proposes all of them, another approves exactly that proposal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.group_role.events import FACTS, GroupRoleFact, GroupRolesApproved, GroupRolesProposed
from letopis.registry.principal.decider import ROLES, RoleUnknown


class ProposalUnknown(Refused):
    """It is not the one that waits."""

    code = "group_role.unknown"
    title = "There is no such proposal for this group, or a later one took its place"


class OwnProposal(Refused):
    """Two people change what a group opens."""

    code = "four_eyes.own_proposal"
    title = "Who proposed it does not approve it; ask another administrator or security officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeGroupRoles:
    proposal_id: str
    group: str
    roles: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveGroupRoles:
    proposal_id: str
    by: str


GroupRoleCommand = ProposeGroupRoles | ApproveGroupRoles


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRoles:
    """What the group opens now, and what waits for a second person."""

    roles: frozenset[str] = frozenset()
    proposed: GroupRolesProposed | None = None


def decide(state: GroupRoles, command: GroupRoleCommand) -> Sequence[GroupRoleFact]:
    match command:
        case ProposeGroupRoles(roles=roles):
            if unknown := sorted(set(roles) - ROLES):
                raise RoleUnknown(f"there is no role {', '.join(unknown)}; one of {', '.join(sorted(ROLES))}")
            return [
                GroupRolesProposed(
                    proposal_id=command.proposal_id,
                    group=command.group,
                    roles=tuple(sorted(set(roles))),
                    reason=command.reason,
                    by=command.by,
                )
            ]
        case ApproveGroupRoles(proposal_id=id, by=by):
            asked = state.proposed
            if asked is None or asked.proposal_id != id:
                raise ProposalUnknown
            if asked.by == by:
                raise OwnProposal
            return [
                GroupRolesApproved(
                    proposal_id=id, group=asked.group, roles=asked.roles, proposed_by=asked.by, approved_by=by
                )
            ]


def evolve(state: GroupRoles, fact: GroupRoleFact) -> GroupRoles:
    match fact:
        case GroupRolesProposed():
            return replace(state, proposed=fact)
        case GroupRolesApproved():
            return GroupRoles(roles=frozenset(fact.roles))


GROUP_ROLE = Aggregate(
    "group_role", Decider[GroupRoleCommand, GroupRoleFact, GroupRoles](GroupRoles(), decide, evolve), FACTS
)
