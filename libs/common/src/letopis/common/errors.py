"""Every error a caller can meet, as one tree.

LetopisError 500
├── Refused 409          a decider said no; each refusal is a class of its own with its own code
│   └── Conflict 409     the stream moved on; handling retries it
├── Unauthenticated 401  no token, or one we cannot trust
├── Forbidden 403        policy said no, with reasons a person can act on
├── NotFound 404         there is no such thing, or not for this reader
├── Invalid 422          the payload is wrong; nothing was done
│   └── KeyReused 422    an idempotency key came again with another request
├── OverBudget 429       the caller sends more than its budget (http/budget.py)
└── Unavailable 503      a part we need is away; try again
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why policy said no: the rule, who owns it, and how to proceed."""

    rule: str
    owner: str = ""
    message: str = ""
    remedy: str = ""


class LetopisError(Exception):
    """A fault of ours unless a subclass says otherwise; rendered as an RFC 9457 problem."""

    status: int = 500
    code: str = "internal"
    title: str = "Something failed on our side"

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra: Mapping[str, object] = extra


class Refused(LetopisError):
    """An invariant of the domain forbids the command."""

    status = 409
    code = "refused"
    title = "The command is refused"


class Conflict(Refused):
    """Somebody else appended to the stream first."""

    code = "stream.conflict"
    title = "The object changed meanwhile; read it again and repeat"


class StreamClosed(Refused):
    """The stream takes no more facts."""

    code = "stream.closed"
    title = "The object is closed and takes no more changes"


class Unauthenticated(LetopisError):
    """Who is asking is not known."""

    status = 401
    code = "unauthenticated"
    title = "A valid access token is needed"


class Forbidden(LetopisError):
    """Policy denies the action; the reasons say which rule, whose, and what to do."""

    status = 403
    code = "forbidden"
    title = "Policy does not allow this"

    def __init__(
        self, detail: str = "", *, reasons: Sequence[Reason] = (), authorization_id: str = "", **extra: object
    ) -> None:
        super().__init__(detail, **extra)
        self.reasons = tuple(reasons)
        self.authorization_id = authorization_id


class NotFound(LetopisError):
    """There is no such object."""

    status = 404
    code = "not_found"
    title = "There is no such object"


class Invalid(LetopisError):
    """The payload cannot be accepted as it is."""

    status = 422
    code = "invalid"
    title = "The request is not valid"


class KeyReused(Invalid):
    """An idempotency key was used before with another request."""

    code = "idempotency.key_reused"
    title = "This Idempotency-Key was used with another request; send a new key"


class Unavailable(LetopisError):
    """A part needed for the answer is away."""

    status = 503
    code = "unavailable"
    title = "A part needed for this answer is away; try again"


class EventStoreError(LetopisError):
    """The event store met something that must never happen."""

    code = "eventstore"
    title = "The event store is damaged or misused"


class SourceGap(EventStoreError):
    """A journal was shipped with a hole before it."""

    status = 409
    code = "source.gap"
    title = "Facts of this source are missing before the batch"


class LedgerHole(EventStoreError):
    """Positions read from a ledger are not contiguous: tampering or loss."""

    code = "ledger.hole"
    title = "A ledger has a hole"


class ObjectDamaged(EventStoreError):
    """A stored object does not have the content its name promises."""

    code = "object.damaged"
    title = "A stored object differs from its digest"
