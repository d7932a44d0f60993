"""The plan of a drill, pure: what is injected, which fact must show that a control caught it, and within what time."""

import json
from dataclasses import dataclass
from typing import Any

from letopis.audit.claim.commitment import spelled
from letopis.audit.claim.language import NotAClaim, Other, parse

MOST, LONGEST = 50, 7 * 86400


class NotAPlan(ValueError):
    """The plan cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One injection: `expects` is the fact by which a control shows that it caught it."""

    id: str
    what: str
    expects: Other
    within: int


def parse_plan(text: str) -> tuple[Injection, ...]:
    """The injections of a plan: {"title", "injections": [...]}, each {"id", "what", "expects", "within_seconds"}.

    `expects` is {"fact", "where"}; the tests of `where` are those of standing claims. NotAPlan says what is wrong.
    """
    try:
        told = json.loads(text)
        if spelled(told) != text:
            raise NotAPlan("the plan must be in its one spelling: sorted keys, no spaces")
        if set(told) != {"title", "injections"} or not isinstance(told["injections"], list):
            raise NotAPlan("a plan has a title and injections")
        found = tuple(_injection(one) for one in told["injections"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotAPlan(str(error)) from error
    if not 0 < len(found) <= MOST or len({one.id for one in found}) != len(found):
        raise NotAPlan(f"a plan has 1 to {MOST} injections, each with an id of its own")
    return found


def _injection(told: Any) -> Injection:
    within = told["within_seconds"]
    if set(told) != {"id", "what", "expects", "within_seconds"} or not isinstance(told["what"], str):
        raise NotAPlan("an injection has id, what, expects and within_seconds")
    if isinstance(within, bool) or not isinstance(within, int) or not 0 < within <= LONGEST:
        raise NotAPlan(f"within_seconds: 1 to {LONGEST}")
    # The language of claims reads it, so that both mean the same by their words.
    expected = {"fact": told["expects"]["fact"], "where": told["expects"]["where"]}
    frame = {
        "id": told["id"],
        "text": {"en": "a"},
        "every": {"facts": ["any.fact.at_all"]},
        "needs": {"any": [expected]},
    }
    try:
        others = parse(frame).others
    except NotAClaim as error:
        raise NotAPlan(str(error)) from error
    if others is None:
        raise NotAPlan("nothing is expected")
    return Injection(id=told["id"], what=told["what"], expects=others.any[0], within=within)
