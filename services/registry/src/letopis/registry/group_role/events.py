"""What is known of the roles of groups."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRolesProposed:
    """`roles` are all that the group would have from then on."""

    proposal_id: str
    group: str
    roles: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRolesApproved:
    """Members of the group have these roles and no others by it, from now on."""

    proposal_id: str
    group: str
    roles: tuple[str, ...]
    proposed_by: str
    approved_by: str


GroupRoleFact = GroupRolesProposed | GroupRolesApproved

FACTS = Catalogue(
    [("registry.group_role.proposed", 1, GroupRolesProposed), ("registry.group_role.approved", 1, GroupRolesApproved)]
)
