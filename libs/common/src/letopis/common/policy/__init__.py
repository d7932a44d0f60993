"""Policy: asked, answered and recorded; built, signed and verified.

`Policy` stands in `asking`, `Leases` in `lease`; they are not imported here, so that the commands need no HTTP client.
"""

from typing import TYPE_CHECKING, Any

from letopis.common.policy.verdict import Object, Question, Subject, Verdict

if TYPE_CHECKING:
    from letopis.common.policy.asking import Policy

__all__ = ["Object", "Policy", "Question", "Subject", "Verdict"]


def __getattr__(name: str) -> Any:
    if name == "Policy":
        from letopis.common.policy.asking import Policy

        return Policy
    raise AttributeError(name)
