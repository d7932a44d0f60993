"""What policy is asked and what it answers; pure, so that a recorded decision can be asked again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from letopis.common.envelope import Authorization, time_text
from letopis.common.errors import LetopisError, Reason
from letopis.common.ids import uuid7
from letopis.common.serialization import canonical


class Malformed(LetopisError):
    """An answer that is not one of ours."""

    code = "policy.malformed"
    title = "The policy engine answered in a shape that is not ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks; `person` is the human behind the login, `act` the service that acts for them."""

    person: str
    login: str
    service: str = ""
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    act: str = ""
    mfa_at: datetime | None = None
    trainings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """What the action is about."""

    type: str
    id: str = ""
    tenant: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this subject do this, for this purpose, with this object, at this time?"""

    action: str
    subject: Subject
    purpose: str
    object: Object
    time: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)

    def input(self) -> dict[str, Any]:
        """The input document, plain JSON, exactly as it is sent and recorded."""
        subject, thing = self.subject, self.object
        document = {
            "action": self.action,
            "subject": {
                "person": subject.person,
                "login": subject.login,
                "service": subject.service,
                "roles": sorted(subject.roles),
                "groups": sorted(subject.groups),
                "act": subject.act,
                "mfa_at": None if subject.mfa_at is None else time_text(subject.mfa_at),
                "trainings": sorted(subject.trainings),
            },
            "purpose": self.purpose,
            "object": {
                "type": thing.type,
                "id": thing.id,
                "tenant": thing.tenant,
                "attributes": dict(thing.attributes),
            },
            "context": {"time": time_text(self.time)},
            "facts": dict(self.facts),
        }
        plain: dict[str, Any] = json.loads(canonical(document))
        return plain


class Told(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a person reads of a rule."""

    owner: str
    message: str
    remedy: str


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The result document of `authorize` (README.md beside this file); nothing else is an answer."""

    allow: bool
    deny: list[str]
    warned: list[str]
    observed: list[str]
    obligations: list[dict[str, Any]]
    reasons: dict[str, Told]
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision as the asking code uses it. `answered` is false when the engine itself gave none."""

    allow: bool
    reasons: tuple[Reason, ...]
    warned: tuple[str, ...]
    obligations: tuple[dict[str, Any], ...]
    authorization: Authorization
    answered: bool


def read_answer(result: Any) -> Answer:
    """The checked answer, or Malformed: a yes beside a denial is no answer."""
    try:
        answer = msgspec.convert(result, Answer, strict=True)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from error
    if answer.allow and answer.deny:
        raise Malformed("the answer allows and denies at once")
    if any(not isinstance(one.get("type"), str) for one in answer.obligations):
        raise Malformed("an obligation has no type")
    return answer


def verdict_of(
    answer: Answer, asked: dict[str, Any], authorization_id: str, *, can: frozenset[str] = frozenset()
) -> Verdict:
    """The verdict of an answer; an obligation that the asker cannot fulfil turns it into a denial."""
    result = msgspec.to_builtins(answer)
    strange = sorted({one["type"] for one in answer.obligations} - can)
    if answer.allow and strange:
        told = Told(
            owner="the service's developers",
            message=f"policy demands what this service cannot do: {', '.join(strange)}",
            remedy="ask the owner of the policy to publish it together with a service that can",
        )
        result |= {"allow": False, "deny": ["obligation.unknown"]}
        result["reasons"] |= {"obligation.unknown": msgspec.to_builtins(told)}
    return Verdict(
        allow=result["allow"],
        reasons=tuple(Reason(rule=rule, **result["reasons"].get(rule, {})) for rule in result["deny"]),
        warned=tuple(answer.warned),
        obligations=tuple(answer.obligations) if result["allow"] else (),
        authorization=Authorization(
            authorization_id=authorization_id,
            action=asked["action"],
            revision=answer.revision,
            input=asked,
            result=result,
        ),
        answered=True,
    )


def refused(reason: Reason, question: Question) -> Verdict:
    """The denial of a question that policy is not even asked, because no policy could allow it."""
    return unanswered(reason, question.input(), str(uuid7()))


def unanswered(reason: Reason, asked: dict[str, Any], authorization_id: str, revision: str = "") -> Verdict:
    """The denial that stands where policy gave no answer we may use."""
    told = {"owner": reason.owner, "message": reason.message, "remedy": reason.remedy}
    result = {
        "allow": False,
        "deny": [reason.rule],
        "warned": [],
        "observed": [],
        "obligations": [],
        "reasons": {reason.rule: told},
        "revision": revision,
    }
    return Verdict(
        allow=False,
        reasons=(reason,),
        warned=(),
        obligations=(),
        authorization=Authorization(
            authorization_id=authorization_id,
            action=asked["action"],
            revision=revision,
            input=asked,
            result=result,
        ),
        answered=False,
    )
