"""What a service answers when it does not do what was asked (RFC 9457), as exceptions that say what to do.

Problem
├── Invalid 422, 400, 413  the request is wrong
├── Unauthenticated 401    log in
├── Forbidden 403          policy says no: rule, owner, remedy
├── NotFound 404           there is no such thing, or not for you
├── Refused 409            an invariant of the domain says no
└── Unavailable 503        a part is away, or nothing answers at all
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A rule that said no, who owns it, and how to proceed."""

    rule: str
    owner: str = ""
    message: str = ""
    remedy: str = ""


class Problem(Exception):
    """A service did not do what was asked; printing it tells what, why, whose rule, and the remedy."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.status = int(document.get("status", 0))
        self.code = str(document.get("code", ""))
        self.title = str(document.get("title", "the request failed"))
        self.detail = str(document.get("detail", ""))
        self.remedy = str(document.get("remedy", ""))
        self.correlation_id = str(document.get("correlation_id", ""))
        self.reasons: Sequence[Reason] = [
            Reason(**{name: str(one.get(name, "")) for name in ("rule", "owner", "message", "remedy")})
            for one in document.get("reasons", [])
        ]
        super().__init__(self.told())

    def told(self) -> str:
        """The problem as lines of text."""
        lines = [f"{self.title} ({self.status} {self.code})"]
        if self.detail and self.detail != self.title:
            lines.append(f"  {self.detail}")
        for reason in self.reasons:
            lines.append(f"  rule {reason.rule}" + (f", owned by {reason.owner}" if reason.owner else ""))
            if reason.message and reason.message not in self.detail:
                lines.append(f"    {reason.message}")
        if self.remedy:
            lines.append(f"  what to do: {self.remedy}")
        if self.correlation_id and self.status >= 500:
            lines.append(f"  correlation id {self.correlation_id}")
        return "\n".join(lines)


class Invalid(Problem):
    """The request is wrong."""


class Unauthenticated(Problem):
    """Nobody is logged in, or not any more."""


class Forbidden(Problem):
    """Policy says no."""


class NotFound(Problem):
    """There is no such thing."""


class Refused(Problem):
    """An invariant of the domain says no."""


class Unavailable(Problem):
    """A part is away."""


_KINDS = {400: Invalid, 401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Refused, 413: Invalid, 422: Invalid}


def problem_of(answer: httpx.Response) -> Problem:
    """The exception for an answer of 400 and above, also where what answers is not one of our services."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"title": f"{answer.url.host}:{answer.url.port} answered {answer.status_code}"}
    document.setdefault("status", answer.status_code)
    if "error" in document and "title" not in document:
        document |= {"code": document["error"], "title": str(document.get("error_description", document["error"]))}
    kind = _KINDS.get(answer.status_code, Unavailable if answer.status_code in {502, 503, 504} else Problem)
    return kind(document)


def away(url: str, error: Exception) -> Unavailable:
    """The exception for a service that does not answer."""
    return Unavailable(
        {
            "status": 503,
            "code": "unavailable",
            "title": f"nothing answers at {url}",
            "detail": type(error).__name__,
            "remedy": "start the stack (`letopis up`) or set the LETOPIS_..._URL of where the services are",
        }
    )
