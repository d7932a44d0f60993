"""The sessions of one person: what policy was told of them must still be true when one more is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.session.events import FACTS, SessionClosed, SessionFact, SessionOpened


class SessionsChanged(Refused):
    """Policy was asked about another sum than the one that holds now."""

    code = "session.changed"
    title = "Your sessions changed meanwhile; ask again"


class SessionUnknown(Refused):
    """It was never opened, or closed before."""

    code = "session.unknown"
    title = "There is no such open session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one session, or all of a person's, takes."""

    cores: int = 0
    memory_gb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """`counted_on` is what the person held when policy was asked."""

    session_id: str
    login: str
    share: Share
    environment: str
    counted_on: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession:
    session_id: str
    closed_by: str


SessionCommand = OpenSession | CloseSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The open sessions of one person."""

    login: str = ""
    open: Mapping[str, Share] = field(default_factory=dict)

    @property
    def held(self) -> Share:
        shares = self.open.values()
        return Share(cores=sum(one.cores for one in shares), memory_gb=sum(one.memory_gb for one in shares))


def decide(state: Sessions, command: SessionCommand) -> Sequence[SessionFact]:
    match command:
        case OpenSession():
            if command.counted_on != state.held:
                raise SessionsChanged
            opened = SessionOpened(
                session_id=command.session_id,
                login=command.login,
                cores=command.share.cores,
                memory_gb=command.share.memory_gb,
                environment=command.environment,
            )
            return [opened]
        case CloseSession(session_id=id):
            if id not in state.open:
                raise SessionUnknown
            return [SessionClosed(session_id=id, login=state.login, closed_by=command.closed_by)]


def evolve(state: Sessions, fact: SessionFact) -> Sessions:
    match fact:
        case SessionOpened():
            share = Share(cores=fact.cores, memory_gb=fact.memory_gb)
            return Sessions(login=fact.login, open={**state.open, fact.session_id: share})
        case SessionClosed():
            left = {id: share for id, share in state.open.items() if id != fact.session_id}
            return Sessions(login=state.login, open=left)


SESSIONS = Aggregate("session", Decider[SessionCommand, SessionFact, Sessions](Sessions(), decide, evolve), FACTS)
