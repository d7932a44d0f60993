"""What is known of a reveal."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRevealed:
    """A person was about to be shown the name of a principal, for the purpose in the meta; `erased`: nothing was."""

    login: str
    subject: str
    erased: bool
    by: str


FACTS = Catalogue([("registry.principal.revealed", 1, PrincipalRevealed)])
