"""Silence, decided: who is expected to speak, and since when nothing was heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from letopis.audit.voice.events import (
    HEARTBEAT_FACTS,
    VOICE_FACTS,
    Counted,
    ExpectationSet,
    HeartbeatRecorded,
    Kind,
    SilenceBegan,
    SilenceEnded,
    VoiceFact,
)
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Invalid

SHORTEST, LONGEST = 60, 366 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class SetExpectation:
    kind: Kind
    name: str
    within_seconds: int | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Look whether it speaks: last heard then; `usual` is what is expected where nobody has said anything else."""

    kind: Kind
    name: str
    last_at: datetime | None
    usual: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeartbeat:
    number: int
    complete: bool
    missing: tuple[str, ...]
    ledgers: Mapping[str, Counted]
    note: str
    at: datetime


class ExpectationUnclear(Invalid):
    """An expectation has a length and a reason."""

    code = "voice.expectation_unclear"
    title = "Expect to hear something within 60 seconds to 366 days (or null for never), and say why in ten letters"


@dataclass(frozen=True, slots=True)
class Voice:
    """`said` tells that a person has set what is expected; `since` when a silence began that is going on."""

    said: bool = False
    within: int | None = None
    silent: bool = False


def expect(_voice: Voice, command: SetExpectation) -> Sequence[VoiceFact]:
    within = command.within_seconds
    if len(command.reason.strip()) < 10 or (within is not None and not SHORTEST <= within <= LONGEST):
        raise ExpectationUnclear
    return [
        ExpectationSet(
            kind=command.kind, name=command.name, within_seconds=within, reason=command.reason, by=command.by
        )
    ]


def listen(voice: Voice, command: Listen) -> Sequence[VoiceFact]:
    """A silence is told once when it begins and once when it ends."""
    within = voice.within if voice.said else command.usual
    late = within is not None and (command.last_at is None or command.at - command.last_at > timedelta(seconds=within))
    if late and not voice.silent and within is not None:
        return [
            SilenceBegan(
                kind=command.kind, name=command.name, within_seconds=within, last_at=command.last_at, at=command.at
            )
        ]
    if voice.silent and not late:
        return [SilenceEnded(kind=command.kind, name=command.name, heard_at=command.last_at, at=command.at)]
    return []


def decide_voice(voice: Voice, command: SetExpectation | Listen) -> Sequence[VoiceFact]:
    match command:
        case SetExpectation():
            return expect(voice, command)
        case Listen():
            return listen(voice, command)


def evolve_voice(voice: Voice, fact: VoiceFact) -> Voice:
    match fact:
        case ExpectationSet():
            return replace(voice, said=True, within=fact.within_seconds)
        case SilenceBegan():
            return replace(voice, silent=True)
        case SilenceEnded():
            return replace(voice, silent=False)


def beat(_: None, command: RecordHeartbeat) -> Sequence[HeartbeatRecorded]:
    return [
        HeartbeatRecorded(
            number=command.number,
            complete=command.complete,
            missing=command.missing,
            ledgers=dict(command.ledgers),
            note=command.note,
            at=command.at,
        )
    ]


def evolve_beat(state: None, _: HeartbeatRecorded) -> None:
    return state


VOICE = Aggregate(
    "voice", Decider[SetExpectation | Listen, VoiceFact, Voice](Voice(), decide_voice, evolve_voice), VOICE_FACTS
)
# A stream an hour, so that none grows without end.
HEARTBEAT = Aggregate(
    "heartbeat", Decider[RecordHeartbeat, HeartbeatRecorded, None](None, beat, evolve_beat), HEARTBEAT_FACTS
)
