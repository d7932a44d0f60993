"""What is known of a person's compute sessions."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    session_id: str
    login: str
    cores: int
    memory_gb: int
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    session_id: str
    login: str
    closed_by: str


SessionFact = SessionOpened | SessionClosed

FACTS = Catalogue(
    [
        ("registry.session.opened", 1, SessionOpened),
        ("registry.session.closed", 1, SessionClosed),
    ]
)
