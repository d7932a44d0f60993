"""What is known of notebooks' keys."""

from dataclasses import dataclass
from datetime import datetime

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookKeyIssued:
    """`hash` is the SHA-256 of the secret, which nobody keeps; the key is good from `at` until `until`."""

    key_id: str
    login: str
    person: str
    hash: str
    purpose: str
    use_case_id: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookKeyRevoked:
    key_id: str
    login: str
    by: str
    reason: str


NotebookKeyFact = NotebookKeyIssued | NotebookKeyRevoked

FACTS = Catalogue(
    [("registry.notebook_key.issued", 1, NotebookKeyIssued), ("registry.notebook_key.revoked", 1, NotebookKeyRevoked)]
)
