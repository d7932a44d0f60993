"""A read starts once and ends once."""

from letopis.common.testing.decider import given
from letopis.features.query.decider import READ, CompleteRead, FailRead, ReadKnown, ReadOver, RefuseRead, StartRead
from letopis.features.query.events import ReadCompleted, ReadFailed, ReadRefused, ReadStarted

STARTED = ReadStarted(
    read_id="r",
    kind="query",
    object_id="",
    person="anna",
    purpose="credit",
    grants=("g",),
    parsed={"panel": ("bill",)},
    planned={"panel": ("bill",)},
    masks={"panel": {"bill": "clear"}},
    tokens="k",
    sql_hashes=("a" * 64,),
    snapshots={"panel": "b" * 64},
)
COMPLETE = CompleteRead(rows=1, bytes=2, result_sha256="c")
COMPLETED = ReadCompleted(read_id="r", rows=1, bytes=2, result_sha256="c")
REFUSE = RefuseRead(read_id="r", person="anna", purpose="credit", code="sql.read_only", statement_sha256="d")
REFUSED = ReadRefused(read_id="r", person="anna", purpose="credit", code="sql.read_only", statement_sha256="d")


def test_completes_once_after_it_started():
    given(READ).when(StartRead(read=STARTED)).then(STARTED)
    given(READ, STARTED).when(COMPLETE).then(COMPLETED)
    given(READ).when(COMPLETE).refused(ReadOver)
    given(READ, STARTED, COMPLETED).when(COMPLETE).refused(ReadOver)


def test_or_fails():
    failed = ReadFailed(read_id="r", code="sql.failed")
    given(READ, STARTED).when(FailRead(code="sql.failed")).then(failed)
    given(READ, STARTED, failed).when(COMPLETE).refused(ReadOver)


def test_or_is_refused_before():
    given(READ).when(REFUSE).then(REFUSED)
    given(READ, REFUSED).when(StartRead(read=STARTED)).refused(ReadKnown)
    given(READ, STARTED).when(StartRead(read=STARTED)).refused(ReadKnown)
