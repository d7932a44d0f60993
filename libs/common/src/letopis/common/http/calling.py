"""A governed call: who asks, for what purpose; what policy says; and a command's way to its receipt.

An endpoint parses, authorizes, commands, handles, answers, in this order. The guard lets no answer of a governed
route leave that policy was not asked about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid5

from fastapi import Response

from letopis.common import ids
from letopis.common.decider import Aggregate
from letopis.common.envelope import Actor, Authorization, Meta
from letopis.common.errors import Forbidden, LetopisError, Reason, Unavailable
from letopis.common.handling import Desk, Handled, Loaded
from letopis.common.http.denial import record_denial
from letopis.common.http.receipts import receipt
from letopis.common.policy.verdict import Object, Question, Subject, refused

if TYPE_CHECKING:
    from letopis.common.identity.caller import Caller

S = TypeVar("S")

MIN_POSITION_WAIT = 5.0
# The age in seconds of a second factor that was never shown.
NEVER = 10**9

_IN_PERSON = Reason(
    rule="delegation.in_person",
    owner="Information security",
    message="only the person may do this, and no service or notebook key in their name",
    remedy="log in as the person and repeat it",
)


class ViewBehind(Unavailable):
    """A read model did not reach the asked position in time."""

    code = "view.behind"
    title = "The read model has not reached this position yet"


class NotAuthorized(LetopisError):
    """A fault of ours: an endpoint handled a command with the authorization of something else."""

    code = "http.not_authorized"
    title = "The endpoint did not ask policy about this"


@dataclass(slots=True)
class AwaitedViews:
    """The view reader, which first waits for the positions of the header Min-Position."""

    reader: Any
    awaited: Mapping[str, int]

    async def rows(self, view: Any, statement: Any) -> Any:
        await self._reach(view)
        return await self.reader.rows(view, statement)

    async def positions(self, view: Any) -> Any:
        await self._reach(view)
        return await self.reader.positions(view)

    async def wait(self, view: Any, positions: Mapping[str, int], timeout: float) -> Any:  # noqa: ASYNC109 as the reader's
        return await self.reader.wait(view, positions, timeout)

    async def _reach(self, view: Any) -> None:
        sources = getattr(view, "sources", {})
        if concerned := {name: at for name, at in self.awaited.items() if name in sources}:
            try:
                await self.reader.wait(view, concerned, MIN_POSITION_WAIT)
            except TimeoutError as error:
                raise ViewBehind(f"{view.name} is behind {concerned}") from error


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of one caller under one action."""

    action: str
    caller: "Caller"
    resources: Any
    desk: Desk
    fulfils: frozenset[str]
    command_id: UUID
    request_hash: bytes
    correlation_id: str
    read: bool
    tenant: str
    views: Any
    state: dict[str, Any]
    delegable: bool = False
    authorizations: list[Authorization] = field(default_factory=list)

    @property
    def purpose(self) -> str:
        return self.caller.purpose

    def now(self) -> datetime:
        moment: datetime = self.resources.clock.now()
        return moment

    def mfa_age(self) -> int:
        """Whole seconds since the caller last showed a second factor; NEVER if they did not."""
        shown = self.caller.mfa_at
        return NEVER if shown is None else max(int((self.now() - shown).total_seconds()), 0)

    def new_id(self) -> str:
        """A fresh, time-ordered id."""
        return str(ids.uuid7())

    async def load(self, aggregate: Aggregate[Any, Any, S], id: str) -> Loaded[S]:
        """An object of the service's ledger as its facts tell it."""
        return await self.desk.load(aggregate, id)

    async def authorize(self, object: Object, facts: Mapping[str, Any] | None = None) -> Authorization:
        """Policy's consent, or Forbidden once the denial is durable."""
        question = self.question(object, facts)
        if self.caller.act and not self.delegable:
            verdict = refused(_IN_PERSON, question)
        else:
            verdict = await self.resources.policy.ask(question, can=self.fulfils, read=self.read)
        if not verdict.allow:
            await record_denial(
                self.resources.store, self.desk.ledger, self.meta(verdict.authorization), verdict.authorization
            )
            self.state["denied"] = verdict.authorization.action
            raise Forbidden(
                "; ".join(reason.message or reason.rule for reason in verdict.reasons),
                reasons=verdict.reasons,
                authorization_id=verdict.authorization.authorization_id,
            )
        self.state["authorized"] = True
        self.authorizations.append(verdict.authorization)
        authorization: Authorization = verdict.authorization
        return authorization

    def question(self, object: Object, facts: Mapping[str, Any] | None = None) -> Question:
        """The question that `authorize` asks; for lease holders, who ask it themselves."""
        who = self.caller
        subject = Subject(
            person=who.person,
            login=who.login,
            service=who.service,
            roles=who.roles,
            groups=who.groups,
            act=who.act,
            mfa_at=who.mfa_at,
            trainings=who.trainings,
        )
        return Question(
            action=self.action,
            subject=subject,
            purpose=who.purpose,
            object=object,
            facts=facts or {},
            time=self.now(),
        )

    def consented(self) -> None:
        """Says that policy was asked in another way (a lease); the answer may leave."""
        self.state["authorized"] = True

    def meta(self, authorization: Authorization | None, causation_id: str = "") -> Meta:
        """The circumstances of a fact of this call."""
        who = self.caller
        return Meta(
            actor=Actor(person=who.person, login=who.login, service=who.service or who.act, issuer=who.issuer),
            purpose=who.purpose,
            tenant=self.tenant,
            correlation_id=self.correlation_id,
            causation_id=causation_id,
            authorization=authorization,
        )

    async def handle(
        self, aggregate: Aggregate[Any, Any, Any], id: str, command: object, authorization: Authorization
    ) -> Handled:
        """Decide and append under the authorization; the command that the Idempotency-Key names."""
        return await self._handle(aggregate, id, command, authorization, self.command_id)

    async def handle_also(
        self,
        aggregate: Aggregate[Any, Any, Any],
        id: str,
        command: object,
        authorization: Authorization,
        part: str = "",
    ) -> Handled:
        """A further command of the same request, on another stream; repeated with it, and without a receipt."""
        return await self._handle(
            aggregate, id, command, authorization, uuid5(self.command_id, f"{aggregate.name}{part}")
        )

    async def handle_all(
        self, aggregate: Aggregate[Any, Any, Any], commands: Sequence[tuple[str, object]], authorization: Authorization
    ) -> Handled:
        """Decide on several objects and append all or nothing; the command that the Idempotency-Key names."""
        self._held(authorization)
        handled = await self.desk.handle_all(
            aggregate, commands, self.meta(authorization), self.command_id, self.request_hash
        )
        self.state["reached"] = max(self.state.get("reached", 0), handled.position)
        return handled

    def receipt(self, handled: Handled) -> Response:
        """201 with the facts and their position; the header names the last position of all this call appended."""
        answer = receipt(handled)
        answer.headers["Letopis-Position"] = f"{handled.ledger}/{max(self.state.get('reached', 0), handled.position)}"
        return answer

    async def _handle(
        self,
        aggregate: Aggregate[Any, Any, Any],
        id: str,
        command: object,
        authorization: Authorization,
        command_id: UUID,
    ) -> Handled:
        self._held(authorization)
        meta = self.meta(authorization)
        handled = await self.desk.handle(aggregate, id, command, meta, command_id, self.request_hash)
        self.state["reached"] = max(self.state.get("reached", 0), handled.position)
        return handled

    def _held(self, authorization: Authorization) -> None:
        if not any(authorization is one for one in self.authorizations):
            raise NotAuthorized(f"{self.action} holds no such authorization")
