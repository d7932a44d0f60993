"""A schedule is set, fulfilled period by period, each once, and stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from letopis.audit.schedule.events import (
    FACTS,
    Every,
    ScheduleFact,
    ScheduleFulfilled,
    ScheduleSet,
    ScheduleStopped,
)
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchedule:
    schedule_id: str
    type: str
    every: Every
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSchedule:
    schedule_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilSchedule:
    schedule_id: str
    first_day: date
    last_day: date
    report_id: str
    place: str
    files: Mapping[str, str]


Command = SetSchedule | StopSchedule | FulfilSchedule


class ScheduleUnknown(NotFound):
    """No schedule of this name runs."""

    code = "schedule.unknown"
    title = "No schedule of this name runs"


@dataclass(frozen=True, slots=True)
class Idle:
    """It was never set, or was stopped."""


@dataclass(frozen=True, slots=True)
class Running:
    """It runs; the next report is of the period that `since` lies in."""

    type: str
    every: Every
    since: date


State = Idle | Running


def set_(state: State, command: SetSchedule) -> Sequence[ScheduleFact]:
    if isinstance(state, Running) and (state.type, state.every) == (command.type, command.every):
        return []
    return [
        ScheduleSet(
            schedule_id=command.schedule_id, type=command.type, every=command.every, by=command.by, at=command.at
        )
    ]


def stop(state: State, command: StopSchedule) -> Sequence[ScheduleFact]:
    if isinstance(state, Idle):
        raise ScheduleUnknown
    return [ScheduleStopped(schedule_id=command.schedule_id, reason=command.reason, by=command.by)]


def fulfil(state: State, command: FulfilSchedule) -> Sequence[ScheduleFact]:
    """A period that another process was faster with, or that nobody waits for any more, leaves nothing."""
    if isinstance(state, Idle) or command.last_day < state.since:
        return []
    return [
        ScheduleFulfilled(
            schedule_id=command.schedule_id,
            first_day=command.first_day,
            last_day=command.last_day,
            report_id=command.report_id,
            place=command.place,
            files=dict(command.files),
        )
    ]


def decide(state: State, command: Command) -> Sequence[ScheduleFact]:
    match command:
        case SetSchedule():
            return set_(state, command)
        case StopSchedule():
            return stop(state, command)
        case FulfilSchedule():
            return fulfil(state, command)


def evolve(state: State, fact: ScheduleFact) -> State:
    match fact:
        case ScheduleSet():
            return Running(fact.type, fact.every, fact.at.date())
        case ScheduleStopped():
            return Idle()
        case ScheduleFulfilled():
            since = fact.last_day + timedelta(days=1)
            return Running(state.type, state.every, since) if isinstance(state, Running) else state


SCHEDULE = Aggregate("schedule", Decider[Command, ScheduleFact, State](Idle(), decide, evolve), FACTS)
