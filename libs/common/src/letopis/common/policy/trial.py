"""Running the tests beside the rooms: each as written, then again on mutants, which some test must notice."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from letopis.common.policy.engine import Engine, NotCompiled
from letopis.common.policy.mutation import Mutation, dropped
from letopis.common.policy.sources import GATE, Bundle, PolicyError, Room, bundle_of

_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the tests said: the names that passed, and one line for each thing that did not hold."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A mutant and the first test that noticed it; "" if none did."""

    package: str
    mutation: Mutation
    noticed_by: str


def run(rooms: Sequence[Room]) -> Trial:
    """All tests of all rooms; a dropped rule that no test of its room notices counts as a failure."""
    passed: list[str] = []
    failed: list[str] = []
    for room in rooms:
        engine = Engine(_near(room, rooms))
        results = holding(engine, room)
        engine.close()
        passed += [name for name, holds in results.items() if holds]
        failed += [name for name, holds in results.items() if not holds]
        for outcome in outcomes(room, rooms, dropped(room.module) if room.name else ()):
            if not outcome.noticed_by:
                failed.append(f"{room.package}: no test notices that {outcome.mutation.label} is gone")
    return Trial(passed=tuple(passed), failed=tuple(failed))


def outcomes(room: Room, rooms: Sequence[Room], mutations: Iterable[Mutation]) -> Iterator[Outcome]:
    """Each mutation of the room's module, tried on the tests of the room; one that does not compile is none."""
    bundle = _near(room, rooms)
    for mutation in mutations:
        noticed = _noticed(bundle, f"{room.folder}/policy.rego", mutation, [room])
        if noticed is not None:
            yield Outcome(package=room.package, mutation=mutation, noticed_by=noticed)


def outcomes_of_gate(rooms: Sequence[Room], mutations: Iterable[Mutation]) -> Iterator[Outcome]:
    """Each mutation of the shared gate, tried on the tests of all rooms."""
    bundle = bundle_of(rooms, tests=True)
    for mutation in mutations:
        noticed = _noticed(bundle, GATE, mutation, rooms)
        if noticed is not None:
            yield Outcome(package="letopis.gate", mutation=mutation, noticed_by=noticed)


def tests_of(room: Room) -> list[str]:
    """The paths of a room's tests; a name that stands twice is one test with two bodies."""
    return [f"{room.package}_test.{name}" for name in dict.fromkeys(_TEST.findall(room.test))]


def holding(engine: Engine, room: Room) -> dict[str, bool]:
    """Whether each test of the room is true; undefined, false and an error are failures. NotCompiled."""
    names = tests_of(room)
    if not names:
        return {}
    try:
        # All at once: the engine prepares every path anew, which costs more than the tests.
        told: dict[str, Any] = engine.evaluate(f"{room.package}_test")
    except PolicyError:
        engine.check()
        return {name: _holds(engine, name) for name in names}
    return {name: told.get(name.rpartition(".")[2]) is True for name in names}


def _holds(engine: Engine, path: str) -> bool:
    try:
        return engine.evaluate(path) is True
    except PolicyError:
        return False


def _near(room: Room, rooms: Sequence[Room]) -> Bundle:
    """The room with the rest of its service, and nobody's tests but its own."""
    return bundle_of(
        [one if one.package == room.package else replace(one, test="") for one in rooms if one.service == room.service],
        tests=True,
    )


def _noticed(bundle: Bundle, file: str, mutation: Mutation, rooms: Sequence[Room]) -> str | None:
    """The first test of the rooms that the mutant fails, "" if it passes them all; None if it does not compile."""
    try:
        mutant = Engine(replace(bundle, modules=bundle.modules | {file: mutation.module}), check=False)
    except NotCompiled:
        return None
    with closing(mutant):
        try:
            failing = (name for room in rooms for name, holds in holding(mutant, room).items() if not holds)
            return next(failing, "")
        except NotCompiled:
            return None
