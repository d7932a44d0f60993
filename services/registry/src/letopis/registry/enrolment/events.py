"""What is known of the first enrolment."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentUsed:
    """The enrolment token was used; it is worth nothing from now on."""

    login: str


EnrolmentFact = EnrolmentUsed

FACTS = Catalogue([("registry.enrolment.used", 1, EnrolmentUsed)])
