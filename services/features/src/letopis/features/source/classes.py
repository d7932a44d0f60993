"""Classes of columns, their order, and the class that several together have."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

ColumnClass = Literal["public", "internal", "confidential", "personal", "restricted"]
# What kind of thing a column holds; decides how it is masked and which tokens join.
ColumnKind = Literal[
    "",
    "full_name",
    "email",
    "phone",
    "passport",
    "inn",
    "snils",
    "card",
    "iban",
    "birth_date",
    "free_text",
    "identifier",
]
Zone = Literal["production", "etl_copy", "test", "manual", "external"]

CLASSES: tuple[str, ...] = get_args(ColumnClass)
KINDS: tuple[str, ...] = get_args(ColumnKind)
ZONES: tuple[str, ...] = get_args(Zone)
UNCLASSIFIED: ColumnClass = "restricted"


def highest(classes: Iterable[str]) -> str:
    """The strictest of the classes; public for none."""
    return max(classes, key=CLASSES.index, default="public")


def class_of(classes: Mapping[str, str], column: str) -> str:
    """A column nobody classified counts as restricted."""
    return classes.get(column, UNCLASSIFIED)
