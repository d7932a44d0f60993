"""Mutants of a Rego module: the same text with one thing changed that a test of the room has to notice.

By text, not by syntax tree: a mutant that does not compile is no mutant, and modules in the shape of `opa fmt` have one
condition a line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(r'^deny\s+contains\s+"([^"]+)"\s+if\b', re.MULTILINE)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
# A comparison becomes its contrary, and where there is a border the border moves.
_COMPARED = {
    "==": ("!=",),
    "!=": ("==",),
    "<=": (">", "<"),
    ">=": ("<", ">"),
    "<": (">=", "<="),
    ">": ("<=", ">="),
}
_COMPARISON = re.compile(r"(?<=\s)(==|!=|<=|>=|<|>)(?=\s)")
_NUMBER = re.compile(r"(?<=\s)-?\d+(?:\.\d+)?\b")
_TRUTH = re.compile(r"(?<=== )(true|false)\b")
_NOT = re.compile(r"\bnot (?=[a-z\"])")
_CONDITION = re.compile(r"^\t[^\t}].*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """The changed module, and what was changed in words."""

    label: str
    module: str


def of(module: str) -> Iterator[Mutation]:
    """All mutants of a module."""
    yield from dropped(module)
    yield from changed(module)


def dropped(module: str) -> Iterator[Mutation]:
    """One body of one deny rule never fires, for each."""
    for number, head in enumerate(_HEAD.finditer(module), 1):
        # The body is kept as a rule that nobody asks, so that what it uses still compiles.
        never = f'deny contains "{head.group(1)}" if false\n\ndropped_rule if'
        yield Mutation(label=f"{head.group(1)} (body {number})", module=_put(module, head, never))


def changed(module: str) -> Iterator[Mutation]:
    """Every comparison turned round, constant swapped, `not` and condition taken away, one at a time."""
    for start, end in _code(module):
        for found in _COMPARISON.finditer(module, start, end):
            for other in _COMPARED[found.group()]:
                yield _told(module, found, other)
        for found in _NUMBER.finditer(module, start, end):
            yield _told(module, found, str(float(found.group()) + 1).removesuffix(".0"))
        for found in _TRUTH.finditer(module, start, end):
            yield _told(module, found, "false" if found.group() == "true" else "true")
        for found in _TEXT.finditer(module, start, end):
            if not _is_rule(module, found):
                yield _told(module, found, '"mutated"')
        for found in _NOT.finditer(module, start, end):
            yield _told(module, found, "")
        for found in _CONDITION.finditer(module, start, end):
            yield _told(module, found, "")


def _code(module: str) -> Iterator[tuple[int, int]]:
    """The spans of lines that say something: no imports, no comments, no default."""
    place = 0
    block: int | None = None
    for line in module.splitlines(keepends=True):
        says = not line.startswith(("#", "package ", "import ", "default ")) and not line.lstrip().startswith("#")
        if says and block is None:
            block = place
        elif not says and block is not None:
            yield block, place
            block = None
        place += len(line)
    if block is not None:
        yield block, place


def _is_rule(module: str, found: re.Match[str]) -> bool:
    """Whether the text is the id in the head of a deny rule: renaming it only drops it, which `dropped` does."""
    return module[: found.start()].endswith("deny contains ")


def _told(module: str, found: re.Match[str], put: str) -> Mutation:
    number = module.count("\n", 0, found.start()) + 1
    line = module.splitlines()[number - 1].strip()
    return Mutation(
        label=f"line {number} `{line}`: {found.group().strip()} -> {put or 'gone'}", module=_put(module, found, put)
    )


def _put(module: str, found: re.Match[str], put: str) -> str:
    return module[: found.start()] + put + module[found.end() :]
