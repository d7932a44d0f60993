"""Where scoring leases and denials become facts: the journal, so that neither waits for PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.envelope import Actor, Meta, encode_meta
from letopis.common.handling import new_fact
from letopis.common.http.denial import AuthorizationDenied, denials
from letopis.common.policy.verdict import Question, Verdict
from letopis.inference.decision.events import FACTS, LeaseGranted
from letopis.inference.decision.journal import Journal

DENIALS = denials("decisions")


@dataclass(frozen=True, slots=True)
class JournalBook:
    """Records grants and denials in the decision journal; durable on return."""

    journal: Journal

    async def granted(self, question: Question, verdict: Verdict, not_after: datetime) -> str:
        fact = LeaseGranted(
            consumer=question.subject.login,
            person=question.subject.person,
            application=question.object.id,
            purpose=question.purpose,
            action=question.action,
            revision=verdict.authorization.revision,
            not_after=not_after,
        )
        new = new_fact(FACTS, fact, _meta(question, verdict))
        await self.journal.append([new])
        return str(new.event_id)

    async def denied(self, question: Question, verdict: Verdict) -> None:
        authorization = verdict.authorization
        fact = AuthorizationDenied(
            authorization_id=authorization.authorization_id,
            action=authorization.action,
            login=question.subject.login,
            person=question.subject.person,
            purpose=question.purpose,
            object_type=question.object.type,
            object_id=question.object.id,
            rules=tuple(reason.rule for reason in verdict.reasons),
        )
        await self.journal.append([new_fact(DENIALS, fact, _meta(question, verdict))])


def _meta(question: Question, verdict: Verdict) -> bytes:
    """The whole question and answer, so that the grant can be asked again years later."""
    subject = question.subject
    actor = Actor(person=subject.person, login=subject.login, service=subject.service)
    return encode_meta(Meta(actor=actor, purpose=question.purpose, authorization=verdict.authorization))
