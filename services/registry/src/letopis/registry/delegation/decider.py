"""A role is lent by who has it of their own, to another person, for a time; what is lent is not lent on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.delegation.events import FACTS, DelegationEnded, DelegationFact, DelegationGiven


class DelegationUnknown(Refused):
    """Nothing was lent under this id, or it was given back."""

    code = "delegation.unknown"
    title = "There is no such delegation, or it has ended"


class NotOwnRole(Refused):
    """Nobody lends what is not theirs."""

    code = "delegation.not_own_role"
    title = "Only a role of one's own can be lent; what was lent to you is not lent on"


class ToOneself(Refused):
    """A person stands for another."""

    code = "delegation.to_oneself"
    title = "A role is lent to another person"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveDelegation:
    """`own_roles` are those the lender has by fact, not by another's lending."""

    delegation_id: str
    login: str
    person: str
    by_login: str
    by_person: str
    own_roles: frozenset[str]
    role: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDelegation:
    by: str


DelegationCommand = GiveDelegation | EndDelegation


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is lent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    fact: DelegationGiven


Delegation = Nothing | Given


def decide(state: Delegation, command: DelegationCommand) -> Sequence[DelegationFact]:
    match state, command:
        case Nothing(), GiveDelegation():
            if command.role not in command.own_roles:
                raise NotOwnRole(f"{command.by_login} has no role {command.role} of their own")
            if command.person == command.by_person:
                raise ToOneself
            return [
                DelegationGiven(
                    delegation_id=command.delegation_id,
                    login=command.login,
                    person=command.person,
                    by_login=command.by_login,
                    by_person=command.by_person,
                    role=command.role,
                    until=command.until,
                    reason=command.reason,
                )
            ]
        case Given(fact=given), EndDelegation(by=by):
            return [DelegationEnded(delegation_id=given.delegation_id, login=given.login, by=by)]
        case Given(), GiveDelegation():
            return []
        case _:
            raise DelegationUnknown


def evolve(state: Delegation, fact: DelegationFact) -> Delegation:
    del state
    match fact:
        case DelegationGiven():
            return Given(fact=fact)
        case DelegationEnded():
            return Nothing()


DELEGATION = Aggregate(
    "delegation", Decider[DelegationCommand, DelegationFact, Delegation](Nothing(), decide, evolve), FACTS
)
