"""Incidents: opened once for each finding, closed by a person with words."""

from dataclasses import replace
from datetime import UTC, datetime

from letopis.audit.incident.decider import (
    INCIDENT,
    ApproveContinuation,
    CloseIncident,
    CommentMissing,
    FoundOtherwise,
    FourEyesNeeded,
    NothingOpen,
    NothingRequested,
    NotRestored,
    OpenIncident,
    RequestContinuation,
    SamePerson,
)
from letopis.audit.incident.events import (
    Continuation,
    ContinuationApproved,
    ContinuationRequested,
    IncidentClosed,
    IncidentOpened,
)
from letopis.common.testing.decider import given

AT = datetime(2026, 11, 21, tzinfo=UTC)
FINDING = {"ledger": "decisions", "kind": "hole", "position": 7, "detail": "is missing", "at": AT}
OPENED, OPEN = IncidentOpened(**FINDING), OpenIncident(**FINDING)
CLOSING = {"ledger": "decisions", "person": "pavel", "comment": "restored from the copy", "at": AT}
CLOSED, CLOSE = IncidentClosed(**CLOSING), CloseIncident(**CLOSING)


class TestOpen:
    def test_opens(self):
        given(INCIDENT).when(OPEN).then(OPENED)

    def test_says_the_same_once(self):
        given(INCIDENT, OPENED).when(OPEN).then()

    def test_tells_another_finding(self):
        other = FINDING | {"position": 9}
        given(INCIDENT, OPENED).when(OpenIncident(**other)).then(IncidentOpened(**other))

    def test_opens_again_after_it_was_closed(self):
        given(INCIDENT, OPENED, CLOSED).when(OPEN).then(OPENED)


class TestClose:
    def test_closes(self):
        given(INCIDENT, OPENED).when(CLOSE).then(CLOSED)

    def test_refuses_where_nothing_is_open(self):
        given(INCIDENT).when(CLOSE).refused(NothingOpen)
        given(INCIDENT, OPENED, CLOSED).when(CLOSE).refused(NothingOpen)

    def test_refuses_without_words(self):
        given(INCIDENT, OPENED).when(CloseIncident(**CLOSING | {"comment": "  "})).refused(CommentMissing)


HOW = Continuation(
    sealed=30,
    sealed_root="aa",
    kept=20,
    kept_root="bb",
    closed="decisions",
    log="since-20261121T000000000000Z/decisions",
    lock_lost=False,
)
RESTORED = IncidentOpened(**FINDING | {"kind": "restored"})
REASON = "the disk failed, Friday's backup is back"
REQUESTED = ContinuationRequested(ledger="decisions", kind="restored", how=HOW, reason=REASON, person="olga", at=AT)
APPROVED = ContinuationApproved(ledger="decisions", how=HOW, reason=REASON, requested_by="olga", person="pavel", at=AT)
REQUEST = RequestContinuation(ledger="decisions", how=HOW, reason=REASON, person="olga", at=AT)
APPROVE = ApproveContinuation(ledger="decisions", how=HOW, person="pavel", at=AT)


class TestContinuation:
    def test_one_requests_and_another_approves(self):
        given(INCIDENT, RESTORED).when(REQUEST).then(REQUESTED)
        given(INCIDENT, RESTORED, REQUESTED).when(APPROVE).then(APPROVED)
        given(INCIDENT, RESTORED, REQUESTED, APPROVED).when(CLOSE).refused(NothingOpen)

    def test_nobody_goes_on_alone(self):
        given(INCIDENT, RESTORED).when(CLOSE).refused(FourEyesNeeded)
        given(INCIDENT, RESTORED).when(APPROVE).refused(NothingRequested)
        alone = ApproveContinuation(ledger="decisions", how=HOW, person="olga", at=AT)
        given(INCIDENT, RESTORED, REQUESTED).when(alone).refused(SamePerson)

    def test_approves_only_what_was_requested(self):
        other = ApproveContinuation(ledger="decisions", how=replace(HOW, kept=25), person="pavel", at=AT)
        given(INCIDENT, RESTORED, REQUESTED).when(other).refused(FoundOtherwise)

    def test_the_same_finding_keeps_the_request(self):
        found = OpenIncident(**FINDING | {"kind": "restored"})
        given(INCIDENT, RESTORED, REQUESTED).when(found).then()

    def test_needs_a_restored_ledger_and_words(self):
        given(INCIDENT).when(REQUEST).refused(NothingOpen)
        given(INCIDENT, OPENED).when(REQUEST).refused(NotRestored)
        given(INCIDENT, RESTORED).when(replace(REQUEST, reason=" ")).refused(CommentMissing)
