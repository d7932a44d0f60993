"""A claim is stated once and may be withdrawn; what is found is recorded when it changes, and once an hour."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from letopis.audit.claim.events import (
    CLAIM_FACTS,
    EVALUATION_FACTS,
    ClaimFact,
    ClaimFound,
    ClaimsEvaluated,
    ClaimStated,
    ClaimWithdrawn,
)
from letopis.audit.claim.language import NotAClaim, parse
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Invalid, NotFound, Refused

# So often it is recorded though nothing changed.
AGAIN = timedelta(hours=1)
LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StateClaim:
    definition: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawClaim:
    claim_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvaluation:
    evaluation_id: str
    positions: Mapping[str, int]
    roots: Mapping[str, str]
    generator_sha256: str
    sha256: str
    bytes: int
    claims: tuple[ClaimFound, ...]
    at: datetime


class ClaimUnreadable(Invalid):
    """The definition is not of the language of claims."""

    code = "claim.unreadable"
    title = "This is no claim; the detail says what is wrong with it"


class ClaimStands(Refused):
    """A claim of this id is in force."""

    code = "claim.stands"
    title = "A claim of this id stands already; withdraw it first, or choose another id"


class ClaimUnknown(NotFound):
    """Nobody stated it."""

    code = "claim.unknown"
    title = "No such claim was stated by an auditor; those that are shipped cannot be withdrawn"


class WithdrawalUnexplained(Invalid):
    """Why must be said."""

    code = "claim.reason_missing"
    title = "Say in ten letters at least why the claim is withdrawn"


@dataclass(frozen=True, slots=True)
class Unstated:
    """Nobody claims it now."""


@dataclass(frozen=True, slots=True)
class Stands:
    """It is held against every fact."""


@dataclass(frozen=True, slots=True)
class Last:
    """What was recorded last: when, and of each claim its verdict and violations."""

    at: datetime | None = None
    found: frozenset[tuple[str, str, int]] = frozenset()


def state(now: Unstated | Stands, command: StateClaim) -> Sequence[ClaimFact]:
    if isinstance(now, Stands):
        raise ClaimStands
    try:
        claim = parse(json.loads(command.definition))
    except (NotAClaim, ValueError, RecursionError) as error:
        raise ClaimUnreadable(str(error)) from error
    return [ClaimStated(claim_id=claim.id, definition=command.definition, by=command.by)]


def withdraw(now: Unstated | Stands, command: WithdrawClaim) -> Sequence[ClaimFact]:
    if isinstance(now, Unstated):
        raise ClaimUnknown
    if len(command.reason.strip()) < 10:
        raise WithdrawalUnexplained
    return [ClaimWithdrawn(claim_id=command.claim_id, reason=command.reason, by=command.by)]


def decide_claim(now: Unstated | Stands, command: StateClaim | WithdrawClaim) -> Sequence[ClaimFact]:
    match command:
        case StateClaim():
            return state(now, command)
        case WithdrawClaim():
            return withdraw(now, command)


def evolve_claim(_now: Unstated | Stands, fact: ClaimFact) -> Unstated | Stands:
    return Stands() if isinstance(fact, ClaimStated) else Unstated()


def record(last: Last, command: RecordEvaluation) -> Sequence[ClaimsEvaluated]:
    """The same finding within the hour is no news."""
    if last.at is not None and command.at - last.at < AGAIN and outcome(command.claims) == last.found:
        return []
    return [
        ClaimsEvaluated(
            evaluation_id=command.evaluation_id,
            positions=dict(command.positions),
            roots=dict(command.roots),
            generator_sha256=command.generator_sha256,
            sha256=command.sha256,
            bytes=command.bytes,
            claims=command.claims,
            at=command.at,
        )
    ]


def recorded(_last: Last, fact: ClaimsEvaluated) -> Last:
    return Last(fact.at, outcome(fact.claims))


def outcome(claims: Sequence[ClaimFound]) -> frozenset[tuple[str, str, int]]:
    """What makes a finding another one."""
    return frozenset((one.claim_id, one.verdict, one.violations) for one in claims)


CLAIM = Aggregate(
    "claim",
    Decider[StateClaim | WithdrawClaim, ClaimFact, Unstated | Stands](Unstated(), decide_claim, evolve_claim),
    CLAIM_FACTS,
)
# A stream a day, so that none grows without end.
EVALUATION = Aggregate(
    "claims_evaluated", Decider[RecordEvaluation, ClaimsEvaluated, Last](Last(), record, recorded), EVALUATION_FACTS
)
