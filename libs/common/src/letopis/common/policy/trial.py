"""Running the tests beside the rooms: each as written, then again with every rule dropped in turn."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import Bundle, PolicyError, Room, bundle_of

_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)
_HEAD = re.compile(r'^deny\s+contains\s+"([^"]+)"\s+if\b', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the tests said: the names that passed, and one line for each thing that did not hold."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]


def run(rooms: Sequence[Room]) -> Trial:
    """All tests of all rooms; a dropped rule that no test of its room notices counts as a failure."""
    bundle = bundle_of(rooms, tests=True)
    engine = Engine(bundle)
    passed: list[str] = []
    failed: list[str] = []
    for room in rooms:
        for name in tests_of(room):
            (passed if holds(engine, name) else failed).append(name)
    for room in rooms:
        for label, mutant in mutants(room, bundle):
            if all(holds(mutant, name) for name in tests_of(room)):
                failed.append(f"{room.package}: no test notices that {label} is gone")
    return Trial(passed=tuple(passed), failed=tuple(failed))


def tests_of(room: Room) -> list[str]:
    """The paths of a room's tests; a name that stands twice is one test with two bodies."""
    return [f"{room.package}_test.{name}" for name in dict.fromkeys(_TEST.findall(room.test))]


def holds(engine: Engine, path: str) -> bool:
    """Whether a test is true; undefined, false and an error are failures."""
    try:
        return engine.evaluate(path) is True
    except PolicyError:
        return False


def mutants(room: Room, bundle: Bundle) -> Iterator[tuple[str, Engine]]:
    """The bundle with one body of one deny rule never firing, for each."""
    if not room.name:
        return
    file = f"{room.folder}/policy.rego"
    for number, head in enumerate(_HEAD.finditer(room.module), 1):
        # The body is kept as a rule that nobody asks, so that what it uses still compiles.
        never = f'deny contains "{head.group(1)}" if false\n\ndropped_rule if'
        module = room.module[: head.start()] + never + room.module[head.end() :]
        modules = bundle.modules | {file: module}
        yield f"{head.group(1)} (body {number})", Engine(replace(bundle, modules=modules))
