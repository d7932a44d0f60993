"""A key is issued once for its whole life and revoked at most once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.notebook_key.events import FACTS, NotebookKeyFact, NotebookKeyIssued, NotebookKeyRevoked


class NotebookKeyUnknown(Refused):
    """There is no such key of this person, or it was revoked."""

    code = "notebook_key.unknown"
    title = "There is no such key, or it was revoked before"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNotebookKey:
    key_id: str
    login: str
    person: str
    hash: str
    purpose: str
    use_case_id: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeNotebookKey:
    by: str
    reason: str


NotebookKeyCommand = IssueNotebookKey | RevokeNotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookKey:
    """Whose it is; empty where there is none, or none any more."""

    key_id: str = ""
    login: str = ""


def decide(state: NotebookKey, command: NotebookKeyCommand) -> Sequence[NotebookKeyFact]:
    match command:
        case IssueNotebookKey():
            return [
                NotebookKeyIssued(
                    key_id=command.key_id,
                    login=command.login,
                    person=command.person,
                    hash=command.hash,
                    purpose=command.purpose,
                    use_case_id=command.use_case_id,
                    at=command.at,
                    until=command.until,
                )
            ]
        case RevokeNotebookKey(by=by, reason=reason):
            if not state.key_id:
                raise NotebookKeyUnknown
            return [NotebookKeyRevoked(key_id=state.key_id, login=state.login, by=by, reason=reason)]


def evolve(state: NotebookKey, fact: NotebookKeyFact) -> NotebookKey:
    del state
    match fact:
        case NotebookKeyIssued():
            return NotebookKey(key_id=fact.key_id, login=fact.login)
        case NotebookKeyRevoked():
            return NotebookKey()


NOTEBOOK_KEY = Aggregate(
    "notebook_key", Decider[NotebookKeyCommand, NotebookKeyFact, NotebookKey](NotebookKey(), decide, evolve), FACTS
)
