"""What built a thing, and what was built of it: the events of lineage joined into one answer, pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A job that made things out of things, and the fact that says so."""

    job: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    at: str
    place: str
    code: str
    sql: str


@dataclass(slots=True)
class Graph:
    """Steps by what they make and by what they take; of two that make the same thing the later one counts."""

    makers: dict[str, Step] = field(default_factory=dict)
    takers: dict[str, list[Step]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[tuple[str, Mapping[str, Any]]]) -> "Graph":
        """The graph of events, each with the place of its fact, in order."""
        graph = cls()
        for place, event in told:
            step = _step(place, event)
            for one in step.outputs:
                graph.makers[one] = step
            for one in step.inputs:
                graph.takers.setdefault(one, []).append(step)
        return graph

    def upstream(self, name: str) -> list[Step]:
        """Every step behind a thing, the nearest first."""
        return self._walked(
            name, lambda one: [self.makers[one]] if one in self.makers else [], lambda step: step.inputs
        )

    def downstream(self, name: str) -> list[Step]:
        """Every step that took it, or took what was made of it."""
        return self._walked(name, lambda one: self.takers.get(one, []), lambda step: step.outputs)

    def unused(self) -> list[str]:
        """Things that were made, and of which nothing was made; versions and files are what all is made for."""
        made = [one for one in self.makers if not one.startswith(("version/", "file/"))]
        return sorted(one for one in made if one not in self.takers)

    def knows(self, name: str) -> bool:
        return name in self.makers or name in self.takers

    def _walked(self, name: str, steps_of: Any, next_of: Any) -> list[Step]:
        found: list[Step] = []
        names, seen = [name], {name}
        for one in names:
            for step in steps_of(one):
                if step not in found:
                    found.append(step)
                for further in next_of(step):
                    if further not in seen:
                        seen.add(further)
                        names.append(further)
        return found


def _step(place: str, event: Mapping[str, Any]) -> Step:
    facets = event["job"]["facets"]
    return Step(
        job=event["job"]["name"],
        inputs=tuple(one["name"] for one in event["inputs"]),
        outputs=tuple(one["name"] for one in event["outputs"]),
        at=event["eventTime"],
        place=place,
        code=facets.get("sourceCodeLocation", {}).get("version", ""),
        sql=facets.get("sql", {}).get("query", ""),
    )
