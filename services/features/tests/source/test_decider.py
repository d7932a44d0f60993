"""Sources: zones, extracts, classes (A16, A17)."""

from letopis.common.testing.decider import given
from letopis.features.source.decider import (
    SOURCE,
    ClassUnknown,
    ColumnUnknown,
    ConfirmClasses,
    DictionaryBroken,
    ExtractEmpty,
    LicenceMissing,
    LoweredWithoutReason,
    ProductionZone,
    ReasonMissing,
    RecordExtract,
    RegisterSource,
    SnapshotKnown,
    SourceExists,
    SourceUnknown,
    snapshot_of,
)
from letopis.features.source.events import (
    ClassesConfirmed,
    ClassesProposed,
    ExtractFile,
    ExtractRecorded,
    Proposal,
    SourceField,
    SourceRegistered,
)

FILE = ExtractFile(path="panel.parquet", sha256="a" * 64, bytes=10, rows=3)
COLUMNS = (SourceField(name="account_id", type="BIGINT"), SourceField(name="email", type="VARCHAR"))
PROPOSED = (Proposal(column="email", cls="personal", kind="email", share=1.0, by="values"),)


def registered(zone="etl_copy", **changed):
    fields = {
        "source_id": "panel",
        "name": "panel",
        "zone": zone,
        "description": "",
        "owner": "oleg",
        "licence": "",
        "purpose": "",
        "registered_by": "oleg",
    } | changed
    return SourceRegistered(**fields)


def register(zone="etl_copy", **changed):
    fact = registered(zone, **changed)
    return RegisterSource(**{name: getattr(fact, name) for name in SourceRegistered.__dataclass_fields__})


def record(**changed):
    fields = {
        "extract_id": "x1",
        "files": (FILE,),
        "columns": COLUMNS,
        "sampled_rows": 3,
        "proposals": PROPOSED,
        "job": "nightly",
        "reason": "",
        "recorded_by": "oleg",
    } | changed
    return RecordExtract(**fields)


RECORDED = ExtractRecorded(
    source_id="panel",
    extract_id="x1",
    snapshot_id=snapshot_of((FILE,)),
    files=(FILE,),
    rows=3,
    columns=COLUMNS,
    job="nightly",
    reason="",
    recorded_by="oleg",
)
SEEN = ClassesProposed(source_id="panel", extract_id="x1", sampled_rows=3, proposals=PROPOSED)
LOADED = (registered(), RECORDED, SEEN)


def confirm(classes, reason="", kinds=None):
    return ConfirmClasses(classes=classes, kinds=kinds or {}, confirmed_by="pavel", reason=reason)


class TestRegister:
    def test_once(self):
        given(SOURCE).when(register()).then(registered())
        given(SOURCE, registered()).when(register()).refused(SourceExists)

    def test_what_comes_from_outside_brings_its_terms(self):
        given(SOURCE).when(register("external")).refused(LicenceMissing)
        terms = {"licence": "CC BY 4.0", "purpose": "research"}
        given(SOURCE).when(register("external", **terms)).then(registered("external", **terms))


class TestExtract:
    def test_records_files_and_proposals(self):
        given(SOURCE, registered()).when(record()).then(RECORDED, SEEN)

    def test_of_nothing_registered(self):
        given(SOURCE).when(record()).refused(SourceUnknown)

    def test_never_of_production(self):
        given(SOURCE, registered("production")).when(record()).refused(ProductionZone)

    def test_by_hand_says_why(self):
        given(SOURCE, registered("manual")).when(record(reason=" ")).refused(ReasonMissing)

    def test_has_rows(self):
        given(SOURCE, registered()).when(record(files=())).refused(ExtractEmpty)

    def test_is_new(self):
        given(SOURCE, *LOADED).when(record(extract_id="x2")).refused(SnapshotKnown)

    def test_does_not_break_the_dictionary(self):
        other = ExtractFile(path="b.parquet", sha256="b" * 64, bytes=10, rows=3)
        columns = (SourceField(name="account_id", type="VARCHAR"), COLUMNS[1])
        given(SOURCE, *LOADED).when(record(files=(other,), columns=columns)).refused(DictionaryBroken)
        given(SOURCE, *LOADED).when(record(files=(other,), columns=COLUMNS[:1])).refused(DictionaryBroken)


class TestConfirm:
    def test_by_column(self):
        given(SOURCE, *LOADED).when(confirm({"email": "personal"}, kinds={"email": "email"})).then(
            ClassesConfirmed(
                source_id="panel",
                classes={"email": "personal"},
                kinds={"email": "email"},
                confirmed_by="pavel",
                reason="",
            )
        )

    def test_only_columns_there_are(self):
        given(SOURCE, *LOADED).when(confirm({"phone": "personal"})).refused(ColumnUnknown)

    def test_only_classes_there_are(self):
        given(SOURCE, *LOADED).when(confirm({"email": "secret"})).refused(ClassUnknown)
        given(SOURCE, *LOADED).when(confirm({}, kinds={"email": "letter"})).refused(ClassUnknown)

    def test_what_looks_personal_is_lowered_only_with_a_reason(self):
        given(SOURCE, *LOADED).when(confirm({"email": "internal"})).refused(LoweredWithoutReason)
        outcome = given(SOURCE, *LOADED).when(confirm({"email": "internal"}, reason="synthetic"))
        assert outcome.facts[0].classes == {"email": "internal"}

    def test_until_then_a_column_is_restricted(self):
        state = SOURCE.decider.initial
        for fact in LOADED:
            state = SOURCE.decider.evolve(state, fact)
        assert state.cls("email") == "restricted"
