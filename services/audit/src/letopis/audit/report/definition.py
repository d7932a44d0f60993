"""A report's definition, pure: a TOML file of tables folded from facts, sections, numbers, pictures, checks, sources.

A bank adds a report by adding a file; `packs/README.md` tells the language. Of the standard library only, for the same
code runs in the verifier of a pack.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from .expression import BadExpression, Compiled, compiled

Words = Mapping[str, str]
LANGUAGES = ("en", "ru")
KINDS = ("text", "code", "list", "place", "moment", "day", "number", "hours", "share", "flag")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class BadDefinition(Exception):
    """The file defines no report; says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What facts of one type do to a row: `put` sets columns, `once` only empty ones, `add` appends to lists."""

    fact: str
    when: Compiled | None
    key: Compiled
    put: Mapping[str, Compiled]
    once: Mapping[str, Compiled]
    add: Mapping[str, Compiled]
    count: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDef:
    """Rows by key: folded from facts, grouped from another table's rows (`members`), or the ledgers themselves."""

    name: str
    rules: Sequence[Rule] = ()
    group: str = ""
    by: Compiled | None = None
    heads: bool = False
    derive: Mapping[str, Compiled] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    id: str
    title: Words
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows of a table as readers see them. A table that everything hangs on is `main`: the CSV."""

    id: str
    title: Words
    lead: Words
    table: str
    where: Compiled | None
    order: Compiled | None
    columns: Sequence[Column]
    empty: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    id: str
    title: Words
    kind: str
    value: Compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture: one bar for each row of a section, its length a column."""

    section: str
    title: Words
    label: str
    value: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must hold of every row to which it applies; `needed`: a check without any row is a gap, not left out."""

    id: str
    title: Words
    table: str
    applies: Compiled | None
    holds: Compiled
    name: str
    why: Words
    needed: bool
    sources: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A report, ready to be made; `sha256` is that of its file, `ledgers` are those it reads whole.

    Of other ledgers it reads what the scope names; `all_heads`: it also tells how far every ledger is sealed.
    """

    type: str
    schema_version: int
    title: Words
    lead: Words
    jurisdiction: Sequence[str]
    scope: Sequence[str]
    redaction: Words
    ledgers: Sequence[str]
    all_heads: bool
    sources: Sequence[Mapping[str, Any]]
    tables: Sequence[TableDef]
    sections: Sequence[Section]
    numbers: Sequence[Number]
    figures: Sequence[Figure]
    checks: Sequence[Check]
    main: str
    sha256: str

    @property
    def types(self) -> frozenset[str]:
        """Names of the facts it reads."""
        return frozenset(rule.fact for table in self.tables for rule in table.rules)

    @property
    def excerpts(self) -> Sequence[str]:
        """Ledgers of which it reads only the facts that its scope names."""
        return [name for name in sorted({one.partition(".")[0] for one in self.types}) if name not in self.ledgers]


@lru_cache(maxsize=64)
def parse(data: bytes) -> Definition:
    """The definition in a file; BadDefinition with place and reason. The same bytes are read once."""
    try:
        told = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinition(str(error)) from None
    try:
        return _definition(told, sha256(data).hexdigest())
    except KeyError as error:
        raise BadDefinition(f"{error.args[0]} is missing") from None
    except (BadExpression, TypeError, AttributeError) as error:
        raise BadDefinition(str(error)) from None


def _definition(told: dict[str, Any], digest: str) -> Definition:
    tables = [_table(name, one) for name, one in told.get("table", {}).items()]
    sections = [_section(one) for one in told["section"]]
    made = Definition(
        type=_name(told["type"]),
        schema_version=int(told["schema_version"]),
        title=_words(told, "title"),
        lead=_words(told, "lead"),
        jurisdiction=tuple(told.get("jurisdiction", ())),
        scope=tuple(map(_name, told.get("scope", ()))),
        redaction=_words(told, "redaction"),
        ledgers=tuple(told["ledgers"]),
        all_heads=bool(told.get("all_heads", False)),
        sources=[_source(one) for one in told.get("source", ())],
        tables=tables,
        sections=sections,
        numbers=[_number(one) for one in told.get("number", ())],
        figures=[_figure(one) for one in told.get("figure", ())],
        checks=[_check(one) for one in told.get("check", ())],
        main=str(told.get("main") or sections[0].id),
        sha256=digest,
    )
    _coherent(made)
    return made


def _coherent(made: Definition) -> None:
    """Everything that is named is there, and nothing stands twice."""
    tables, sections = [one.name for one in made.tables], [one.id for one in made.sections]
    sources = [one["id"] for one in made.sources]
    checks = [one.id for one in made.checks]
    for kind, names in (("table", tables), ("section", sections), ("source", sources), ("check", checks)):
        if len(set(names)) != len(names):
            raise BadDefinition(f"a {kind} stands twice")
    for section in made.sections:
        _known("section", section.id, section.table, tables)
    for check in made.checks:
        _known("check", check.id, check.table, tables)
        for source in check.sources:
            _known("check", check.id, source, sources)
    for at, table in enumerate(made.tables):
        if table.group:
            _known("table", table.name, table.group, tables[:at])
    columns = {section.id: [one.id for one in section.columns] for section in made.sections}
    for figure in made.figures:
        _known("figure", figure.section, figure.section, sections)
        for name in (figure.label, figure.value):
            _known("figure", figure.section, name, columns[figure.section])
    _known("main", made.main, made.main, sections)


def _known(kind: str, name: str, wanted: str, known: Sequence[str]) -> None:
    if wanted not in known:
        raise BadDefinition(f"{kind} {name} names {wanted!r}, which is not there (or stands later)")


def _table(name: str, told: dict[str, Any]) -> TableDef:
    try:
        derive = {column: compiled(text) for column, text in told.get("derive", {}).items()}
        if told.get("heads"):
            return TableDef(name=_name(name), heads=True, derive=derive)
        if "group" in told:
            return TableDef(name=_name(name), group=told["group"], by=compiled(told["by"]), derive=derive)
        rules = [_rule(told, one) for one in told["from"]]
        return TableDef(name=_name(name), rules=rules, derive=derive)
    except KeyError as error:
        raise BadDefinition(f"table {name}: {error.args[0]} is missing") from None
    except BadExpression as bad:
        raise BadDefinition(f"table {name}: {bad}") from None


def _rule(table: dict[str, Any], told: dict[str, Any]) -> Rule:
    strange = told.keys() - {"fact", "when", "key", "put", "once", "add", "count"}
    if strange:
        raise BadExpression(f"a rule has no {', '.join(sorted(strange))}")
    many = {name: {column: compiled(text) for column, text in told.get(name, {}).items()} for name in _MANY}
    return Rule(
        fact=told["fact"],
        when=_maybe(told.get("when")),
        key=compiled(told.get("key") or table["key"]),
        count=tuple(told.get("count", ())),
        **many,
    )


_MANY = ("put", "once", "add")


def _section(told: dict[str, Any]) -> Section:
    return Section(
        id=_name(told["id"]),
        title=_words(told, "title"),
        lead=_words(told, "lead", optional=True),
        table=told["table"],
        where=_maybe(told.get("where")),
        order=_maybe(told.get("order")),
        columns=[_column(one) for one in told["columns"]],
        empty=_words(told, "empty"),
    )


def _column(told: dict[str, Any]) -> Column:
    kind = told.get("kind", "text")
    if kind not in KINDS:
        raise BadDefinition(f"column {told['id']}: kind is one of {', '.join(KINDS)}")
    return Column(id=told["id"], title=_words({"title": told}, "title"), kind=kind)


def _number(told: dict[str, Any]) -> Number:
    value = compiled(told["value"])
    return Number(id=_name(told["id"]), title=_words(told, "title"), kind=told.get("kind", "number"), value=value)


def _figure(told: dict[str, Any]) -> Figure:
    about = {name: told[name] for name in ("section", "label", "value")}
    return Figure(title=_words(told, "title"), kind=told.get("kind", "number"), **about)


def _check(told: dict[str, Any]) -> Check:
    return Check(
        id=_name(told["id"]),
        title=_words(told, "title"),
        table=told["table"],
        applies=_maybe(told.get("applies")),
        holds=compiled(told["holds"]),
        name=told["name"],
        why=_words(told, "why"),
        needed=bool(told.get("needed", False)),
        sources=tuple(told.get("sources", ())),
    )


def _source(told: dict[str, Any]) -> dict[str, Any]:
    """A clause: `read` is the day somebody looked; `checked` false says that the text itself was not at hand."""
    return {
        "id": told["id"],
        "title": told["title"],
        "jurisdiction": told["jurisdiction"],
        "read": told["read"].isoformat(),
        "checked": bool(told["checked"]),
        "says": dict(_words(told, "says")),
    }


def _words(told: dict[str, Any], name: str, *, optional: bool = False) -> Words:
    if optional and name not in told:
        return dict.fromkeys(LANGUAGES, "")
    found = told[name]
    lacking = [language for language in LANGUAGES if not isinstance(found.get(language), str)]
    if lacking:
        raise BadDefinition(f"{name} of {told.get('id', told.get('type', '?'))} has no text in {', '.join(lacking)}")
    return {language: found[language] for language in LANGUAGES}


def _maybe(text: str | None) -> Compiled | None:
    return compiled(text) if text else None


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadDefinition(f"{text!r} is no name: small letters, digits and _ alone")
    return text
