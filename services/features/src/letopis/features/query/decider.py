"""A read's life: started once, then completed or failed once; or refused at the gate."""

from collections.abc import Sequence
from dataclasses import dataclass

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.query.events import FACTS, ReadCompleted, ReadFact, ReadFailed, ReadRefused, ReadStarted


class ReadKnown(Refused):
    """Each read has an id of its own."""

    code = "read.known"
    title = "A read with this id was started already"


class ReadOver(Refused):
    """A read ends once, and only after it began."""

    code = "read.over"
    title = "This read is not under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRead:
    read: ReadStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRead:
    rows: int
    bytes: int
    result_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRead:
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseRead:
    read_id: str
    person: str
    purpose: str
    code: str
    statement_sha256: str


ReadCommand = StartRead | CompleteRead | FailRead | RefuseRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    read_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    read_id: str


Read = Unknown | Started | Over


def decide(state: Read, command: ReadCommand) -> Sequence[ReadFact]:
    match state, command:
        case Unknown(), StartRead(read=read):
            return [read]
        case Unknown(), RefuseRead():
            return [
                ReadRefused(
                    read_id=command.read_id,
                    person=command.person,
                    purpose=command.purpose,
                    code=command.code,
                    statement_sha256=command.statement_sha256,
                )
            ]
        case Started(read_id=id), CompleteRead():
            return [
                ReadCompleted(read_id=id, rows=command.rows, bytes=command.bytes, result_sha256=command.result_sha256)
            ]
        case Started(read_id=id), FailRead():
            return [ReadFailed(read_id=id, code=command.code)]
        case _, StartRead() | RefuseRead():
            raise ReadKnown
        case _:
            raise ReadOver


def evolve(state: Read, fact: ReadFact) -> Read:
    match state, fact:
        case Unknown(), ReadStarted(read_id=id):
            return Started(read_id=id)
        case _:
            return Over(read_id=fact.read_id)


READ = Aggregate(
    "read",
    Decider[ReadCommand, ReadFact, Read](Unknown(), decide, evolve),
    FACTS,
    ends=frozenset({ReadCompleted, ReadFailed, ReadRefused}),
)
