"""Sessions of a person: opened on what policy was told, closed once."""

from letopis.common.testing.decider import given
from letopis.registry.session.decider import (
    SESSIONS,
    CloseSession,
    OpenSession,
    SessionsChanged,
    SessionUnknown,
    Share,
)
from letopis.registry.session.events import SessionClosed, SessionOpened

FIRST = SessionOpened(session_id="s1", login="anna", cores=16, memory_gb=64, environment="")
CLOSED = SessionClosed(session_id="s1", login="anna", closed_by="olga")


def asking(**counted_on: int) -> OpenSession:
    share = Share(cores=8, memory_gb=32)
    return OpenSession(session_id="s2", login="anna", share=share, environment="python", counted_on=Share(**counted_on))


OPENED = SessionOpened(session_id="s2", login="anna", cores=8, memory_gb=32, environment="python")


class TestOpen:
    def test_opens_beside_what_policy_was_told(self):
        given(SESSIONS, FIRST).when(asking(cores=16, memory_gb=64)).then(OPENED)

    def test_refuses_a_sum_that_no_longer_holds(self):
        given(SESSIONS, FIRST).when(asking()).refused(SessionsChanged)
        given(SESSIONS).when(asking(cores=16, memory_gb=64)).refused(SessionsChanged)

    def test_what_was_closed_is_not_held(self):
        given(SESSIONS, FIRST, CLOSED).when(asking()).then(OPENED)


class TestClose:
    def test_closes_once(self):
        given(SESSIONS, FIRST).when(CloseSession(session_id="s1", closed_by="olga")).then(CLOSED)
        given(SESSIONS, FIRST, CLOSED).when(CloseSession(session_id="s1", closed_by="olga")).refused(SessionUnknown)
