"""Incidents: opened once for each finding, closed by a person with words."""

from datetime import UTC, datetime

from letopis.audit.incident.decider import INCIDENT, CloseIncident, CommentMissing, NothingOpen, OpenIncident
from letopis.audit.incident.events import IncidentClosed, IncidentOpened
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
