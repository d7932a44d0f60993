"""The enrolment token works once; the same hand may repeat a broken first attempt."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.enrolment.events import FACTS, EnrolmentFact, EnrolmentUsed


class EnrolmentOver(Refused):
    """Somebody else was first."""

    code = "enrolment.used"
    title = "The enrolment token was used already; ask an administrator to register you"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseEnrolment:
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    login: str | None = None


def decide(state: Enrolment, command: UseEnrolment) -> Sequence[EnrolmentFact]:
    if state.login is None:
        return [EnrolmentUsed(login=command.login)]
    if state.login != command.login:
        raise EnrolmentOver
    return []


def evolve(state: Enrolment, fact: EnrolmentFact) -> Enrolment:
    del state
    return Enrolment(login=fact.login)


ENROLMENT = Aggregate("enrolment", Decider[UseEnrolment, EnrolmentFact, Enrolment](Enrolment(), decide, evolve), FACTS)
