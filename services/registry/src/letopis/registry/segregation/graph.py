"""The graph of hands, pure: who would be approving through whom.

Nodes are people. Three things make one person's hand the other's: a login or commit name that belongs to them (so
several names are one person from the start), a role lent from one to the other (the borrower acts for the lender, and
for whoever the lender acts for), and a team that builds together (every member for every other). Whoever can be
reached from an author, committer or requester is not independent of the version.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

INDEPENDENT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One hand to the next, and by what."""

    person: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """`names` tells the person of a login or commit name, in lower case; `lent` holds (lender, borrower)."""

    names: Mapping[str, str]
    lent: frozenset[tuple[str, str]]
    teams: Mapping[str, frozenset[str]]

    def person_of(self, name: str) -> str:
        """The person behind a name; a name nobody has registered stands for itself."""
        return self.names.get(name.strip().lower(), name.strip().lower())

    def path(self, origins: Iterable[str], approver: str) -> tuple[Step, ...] | None:
        """The shortest way from one of the origins to the approver, None if they are independent (breadth first)."""
        goal = self.person_of(approver)
        begun: dict[str, tuple[Step, ...]] = {
            self.person_of(name): (Step(person=self.person_of(name), by="made or asked"),) for name in origins if name
        }
        ways, queue = dict(sorted(begun.items())), deque(sorted(begun))
        while queue:
            person = queue.popleft()
            if person == goal:
                return ways[person]
            for step in self._next(person):
                if step.person not in ways:
                    ways[step.person] = (*ways[person], step)
                    queue.append(step.person)
        return None

    def _next(self, person: str) -> list[Step]:
        lent = [Step(person=to, by="a lent role") for by, to in sorted(self.lent) if by == person]
        mates = [
            Step(person=mate, by=f"the team {team}")
            for team, members in sorted(self.teams.items())
            if person in members
            for mate in sorted(members)
        ]
        return [*lent, *mates]


def told(path: tuple[Step, ...]) -> str:
    """The way in words: `anna made or asked, boris by a lent role`."""
    return ", ".join(f"{step.person} {step.by if at == 0 else f'by {step.by}'}" for at, step in enumerate(path))
