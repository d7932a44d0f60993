"""What would have been refused: by which rule, for whom, and what would have had to be done."""

from dataclasses import dataclass

INVARIANT = "an invariant of the registry, no setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`what` is a model version or an application, `whom` the person or caller that would have been refused."""

    rule: str
    what: str
    whom: str
    owner: str
    message: str
    remedy: str
    count: int = 1
    examples: tuple[str, ...] = ()
