"""Sources: a zone that says how they are read, extracts that tell where rows came from, classes a person confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.features.source.classes import CLASSES, KINDS, ColumnClass, Zone, class_of
from letopis.features.source.events import (
    FACTS,
    ClassesConfirmed,
    ClassesProposed,
    ExtractFile,
    ExtractRecorded,
    Proposal,
    SourceFact,
    SourceField,
    SourceRegistered,
)


class SourceExists(Refused):
    """The id is taken."""

    code = "source.exists"
    title = "A source with this id exists already"


class SourceUnknown(Refused):
    """Nothing is registered under this id."""

    code = "source.unknown"
    title = "There is no such source; register it first"


class LicenceMissing(Refused):
    """Data from outside comes with terms."""

    code = "source.licence_missing"
    title = "An external source states its licence and the purpose it was obtained for"


class ProductionZone(Refused):
    """Production systems are described here, never read."""

    code = "source.production_zone"
    title = "A production source is never read directly; order an extract and register it as etl_copy"


class ReasonMissing(Refused):
    """A load by hand is explained."""

    code = "source.reason_missing"
    title = "A manual load states its reason"


class ExtractEmpty(Refused):
    """A load without files or rows is none."""

    code = "source.extract_empty"
    title = "An extract has at least one file and one row"


class SnapshotKnown(Refused):
    """The newest extract has the same bytes."""

    code = "source.snapshot_known"
    title = "The newest extract of this source has exactly these files already"


class DictionaryBroken(Refused):
    """Columns that others rely on do not vanish or change type under the same name."""

    code = "source.dictionary_broken"
    title = "Columns of the source disappeared or changed type; register it as a new source"


class ColumnUnknown(Refused):
    """The dictionary has no such column."""

    code = "source.column_unknown"
    title = "The source has no such column"


class ClassUnknown(Refused):
    """Classes and kinds are closed lists."""

    code = "source.class_unknown"
    title = "There is no such class or kind of column"


class LoweredWithoutReason(Refused):
    """A column that was personal, or was recognised as such, is not made less without a word."""

    code = "source.lowered_without_reason"
    title = "A column recognised or confirmed as personal may be lowered only with a reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSource:
    source_id: str
    name: str
    zone: Zone
    description: str
    owner: str
    licence: str
    purpose: str
    registered_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordExtract:
    extract_id: str
    files: tuple[ExtractFile, ...]
    columns: tuple[SourceField, ...]
    sampled_rows: int
    proposals: tuple[Proposal, ...]
    job: str
    reason: str
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmClasses:
    classes: Mapping[str, ColumnClass]
    kinds: Mapping[str, str]
    confirmed_by: str
    reason: str


SourceCommand = RegisterSource | RecordExtract | ConfirmClasses


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    source_id: str
    zone: Zone
    extract: ExtractRecorded | None = None
    classes: Mapping[str, ColumnClass] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    proposed: Mapping[str, Proposal] = field(default_factory=dict)

    @property
    def dictionary(self) -> dict[str, str]:
        """Columns and their types; empty before the first extract."""
        return {one.name: one.type for one in self.extract.columns} if self.extract else {}

    @property
    def rows(self) -> int:
        """What a scan of the last extract reads."""
        return sum(file.rows for file in self.extract.files) if self.extract else 0

    def cls(self, column: str) -> str:
        """The class in force: restricted until somebody confirmed one."""
        return class_of(self.classes, column)


Source = Unregistered | Registered


def snapshot_of(files: Sequence[ExtractFile]) -> str:
    """One digest for the files of an extract, whatever their paths."""
    return sha256("\n".join(sorted(file.sha256 for file in files)).encode()).hexdigest()


def register(command: RegisterSource) -> Sequence[SourceFact]:
    if command.zone == "external" and not (command.licence and command.purpose):
        raise LicenceMissing
    return [
        SourceRegistered(
            source_id=command.source_id,
            name=command.name,
            zone=command.zone,
            description=command.description,
            owner=command.owner,
            licence=command.licence,
            purpose=command.purpose,
            registered_by=command.registered_by,
        )
    ]


def record_extract(state: Registered, command: RecordExtract) -> Sequence[SourceFact]:
    if state.zone == "production":
        raise ProductionZone
    if state.zone == "manual" and not command.reason.strip():
        raise ReasonMissing
    rows = sum(file.rows for file in command.files)
    if not command.files or not rows or not command.columns:
        raise ExtractEmpty
    snapshot = snapshot_of(command.files)
    if state.extract and state.extract.snapshot_id == snapshot:
        raise SnapshotKnown(snapshot_id=snapshot)
    types = {one.name: one.type for one in command.columns}
    broken = sorted(name for name, type in state.dictionary.items() if types.get(name) != type)
    if broken:
        raise DictionaryBroken(f"gone or of another type: {', '.join(broken)}", columns=broken)
    return [
        ExtractRecorded(
            source_id=state.source_id,
            extract_id=command.extract_id,
            snapshot_id=snapshot,
            files=command.files,
            rows=rows,
            columns=command.columns,
            job=command.job,
            reason=command.reason,
            recorded_by=command.recorded_by,
        ),
        ClassesProposed(
            source_id=state.source_id,
            extract_id=command.extract_id,
            sampled_rows=command.sampled_rows,
            proposals=command.proposals,
        ),
    ]


def confirm(state: Registered, command: ConfirmClasses) -> Sequence[SourceFact]:
    named = {*command.classes, *command.kinds}
    unknown = sorted(named - state.dictionary.keys())
    if unknown:
        raise ColumnUnknown(f"{state.source_id} has no column {', '.join(unknown)}", columns=unknown)
    strange = sorted({*command.classes.values()} - {*CLASSES}) + sorted({*command.kinds.values()} - {*KINDS})
    if strange:
        raise ClassUnknown(f"no class or kind is called {', '.join(strange)}")
    personal = CLASSES.index("personal")
    for column, cls in command.classes.items():
        proposal = state.proposed.get(column)
        known = CLASSES.index(proposal.cls) if proposal else 0
        before = CLASSES.index(state.classes[column]) if column in state.classes else 0
        if CLASSES.index(cls) < personal <= max(known, before) and not command.reason.strip():
            raise LoweredWithoutReason(f"{column} looks personal; say why it is {cls}", column=column)
    return [
        ClassesConfirmed(
            source_id=state.source_id,
            classes=dict(command.classes),
            kinds=dict(command.kinds),
            confirmed_by=command.confirmed_by,
            reason=command.reason,
        )
    ]


def decide(state: Source, command: SourceCommand) -> Sequence[SourceFact]:
    match state, command:
        case Unregistered(), RegisterSource():
            return register(command)
        case Unregistered(), _:
            raise SourceUnknown
        case _, RegisterSource():
            raise SourceExists
        case Registered(), RecordExtract():
            return record_extract(state, command)
        case Registered(), ConfirmClasses():
            return confirm(state, command)


def evolve(state: Source, fact: SourceFact) -> Source:
    match state, fact:
        case _, SourceRegistered():
            return Registered(source_id=fact.source_id, zone=fact.zone)
        case Registered(), ExtractRecorded():
            return replace(state, extract=fact)
        case Registered(), ClassesProposed():
            return replace(state, proposed={**state.proposed, **{one.column: one for one in fact.proposals}})
        case Registered(), ClassesConfirmed():
            return replace(state, classes={**state.classes, **fact.classes}, kinds={**state.kinds, **fact.kinds})
        case _:
            return state


SOURCE = Aggregate("source", Decider[SourceCommand, SourceFact, Source](Unregistered(), decide, evolve), FACTS)
