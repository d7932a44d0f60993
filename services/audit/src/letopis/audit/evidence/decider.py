"""Showing evidence leaves a fact; a pack is handed out as it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from letopis.audit.evidence.events import (
    EVIDENCE_FACTS,
    PACK_FACTS,
    EvidenceFact,
    EvidenceRead,
    PackFact,
    PackMade,
    PackRead,
)
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEvidence:
    event_id: str
    ledger: str
    position: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePack:
    pack_id: str
    scope: Mapping[str, Any]
    positions: Mapping[str, int]
    excerpts: Mapping[str, Sequence[int]]
    report_sha256: str
    sha256: str
    bytes: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPack:
    pack_id: str
    by: str


class PackUnknown(NotFound):
    """No pack of this id was made."""

    code = "pack.unknown"
    title = "No such evidence pack was made"


class PackExists(Refused):
    """A pack is made once; it never changes."""

    code = "pack.exists"
    title = "A pack of this id was made before"


@dataclass(frozen=True, slots=True)
class Unseen:
    """Nobody was shown the fact."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often the fact was shown."""

    times: int


@dataclass(frozen=True, slots=True)
class Unmade:
    """There is no such pack."""


@dataclass(frozen=True, slots=True)
class Made:
    """The pack is there, with these bytes."""

    sha256: str


def read_evidence(_state: Unseen | Seen, command: ReadEvidence) -> Sequence[EvidenceFact]:
    return [EvidenceRead(event_id=command.event_id, ledger=command.ledger, position=command.position, by=command.by)]


def evolve_evidence(state: Unseen | Seen, _fact: EvidenceFact) -> Unseen | Seen:
    return Seen(state.times + 1) if isinstance(state, Seen) else Seen(1)


def make(state: Unmade | Made, command: MakePack) -> Sequence[PackFact]:
    if isinstance(state, Made):
        raise PackExists
    return [
        PackMade(
            pack_id=command.pack_id,
            scope=dict(command.scope),
            positions=dict(command.positions),
            excerpts={ledger: list(positions) for ledger, positions in command.excerpts.items()},
            report_sha256=command.report_sha256,
            sha256=command.sha256,
            bytes=command.bytes,
            by=command.by,
        )
    ]


def read_pack(state: Unmade | Made, command: ReadPack) -> Sequence[PackFact]:
    if isinstance(state, Unmade):
        raise PackUnknown
    return [PackRead(pack_id=command.pack_id, sha256=state.sha256, by=command.by)]


def decide_pack(state: Unmade | Made, command: MakePack | ReadPack) -> Sequence[PackFact]:
    match command:
        case MakePack():
            return make(state, command)
        case ReadPack():
            return read_pack(state, command)


def evolve_pack(state: Unmade | Made, fact: PackFact) -> Unmade | Made:
    match fact:
        case PackMade():
            return Made(fact.sha256)
        case PackRead():
            return state


# A fact may be shown to many people at once; what each was shown does not depend on the others.
EVIDENCE = Aggregate(
    "evidence",
    Decider[ReadEvidence, EvidenceFact, Unseen | Seen](Unseen(), read_evidence, evolve_evidence),
    EVIDENCE_FACTS,
)
PACK = Aggregate(
    "pack", Decider[MakePack | ReadPack, PackFact, Unmade | Made](Unmade(), decide_pack, evolve_pack), PACK_FACTS
)
