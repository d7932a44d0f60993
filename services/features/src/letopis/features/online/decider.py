"""The counting of one process: leases it took, reads it served, and its end, after which it counts no more."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.online.events import FACTS, LeaseGranted, OnlineCountingStopped, OnlineFact, OnlineReadsCounted


class CountingStopped(Refused):
    """The process is known to have ended."""

    code = "online.counting_stopped"
    title = "This process has ended; it counts no more"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLease:
    lease: LeaseGranted


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReads:
    counted: OnlineReadsCounted


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCounting:
    """`complete` when all counts were recorded; a crash leaves some unknown."""

    process: str
    complete: bool


OnlineCommand = RecordLease | CountReads | StopCounting


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """`leases` it took: without one nothing was served, and there is nothing to stop."""

    leases: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    complete: bool


Online = Counting | Stopped


def decide(state: Online, command: OnlineCommand) -> Sequence[OnlineFact]:
    match state, command:
        case Stopped(), StopCounting():
            return []
        case Stopped(), _:
            raise CountingStopped
        case Counting(), RecordLease(lease=lease):
            return [lease]
        case Counting(), CountReads(counted=counted):
            return [counted]
        case Counting(leases=leases), StopCounting(process=process, complete=complete):
            return [OnlineCountingStopped(process=process, complete=complete)] if leases else []
        case _:
            return []


def evolve(state: Online, fact: OnlineFact) -> Online:
    match state, fact:
        case Counting(leases=leases), LeaseGranted():
            return Counting(leases=leases + 1)
        case _, OnlineCountingStopped(complete=complete):
            return Stopped(complete=complete)
        case _:
            return state


ONLINE = Aggregate("online", Decider[OnlineCommand, OnlineFact, Online](Counting(), decide, evolve), FACTS)
