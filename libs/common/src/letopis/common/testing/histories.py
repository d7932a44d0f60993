"""Made-up histories for a view: facts of the kinds it knows, over few ids, in any order (Hypothesis).

No life made them, so a view that follows two ledgers and relies on what its owners decide is not judged by them.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from letopis.common.envelope import NewFact, Record
from letopis.common.ids import salt, uuid7
from letopis.common.projecting.view import View
from letopis.common.serialization import BigInt, Catalogue, Real
from letopis.common.testing.sample import META, MONEY, records
from letopis.common.testing.sealing import same_seal

_MOMENTS = [datetime(2026, 11, day, 6, 55, 8, 123456, tzinfo=UTC) for day in (1, 2, 21)]
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["a", "b", "ж\\\t"]),
    int: st.integers(0, 3),
    float: st.sampled_from([0.0, 0.1, 7.5]),
    bool: st.booleans(),
    bytes: st.sampled_from([b"", b"\x00\xff"]),
    Decimal: st.sampled_from([Decimal("12.50")]),
    Real: st.builds(Real, st.sampled_from([0.0, -0.5])),
    BigInt: st.builds(BigInt, st.sampled_from([0, 2**60])),
    datetime: st.sampled_from(_MOMENTS),
    date: st.sampled_from([moment.date() for moment in _MOMENTS]),
    UUID: st.sampled_from([UUID(int=1), UUID(int=2)]),
    Any: st.sampled_from([{"any": [1, "a"]}]),
    object: st.sampled_from([{"any": [1, "a"]}]),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type that stands in a fact."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{part.name: values(hints[part.name]) for part in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    origin, told = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(told)
    if origin is Annotated:
        return values(told[0])
    if origin in {Union, UnionType}:
        return st.one_of(*(st.none() if one is NoneType else values(one) for one in told))
    if origin is tuple and told[-1] is not Ellipsis:
        return st.tuples(*map(values, told))
    if origin in {tuple, list}:
        return st.lists(values(told[0]), max_size=2).map(origin)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(values(told[0]).map(str), values(told[1]), max_size=2)
    raise TypeError(f"there are no values of {kind}")


@st.composite
def history(draw: st.DrawFn, view: type[View], most: int = 15) -> list[Record]:
    """Records of all the ledgers that a view follows."""
    told: list[Record] = []
    for ledger, known in view.sources.items():
        # Who takes any fact is told some of no service.
        catalogue = known if isinstance(known, Catalogue) else MONEY
        kinds = st.sampled_from([kind for _, _, kind in catalogue.entries])
        made = draw(st.lists(kinds.flatmap(values), max_size=most))
        told += records(ledger, [_new(catalogue, one) for one in made])
    return told


def _new(catalogue: Catalogue, fact: object) -> NewFact:
    type, schema_version, data = catalogue.encode(fact, same_seal)
    return NewFact(event_id=uuid7(), type=type, schema_version=schema_version, salt=salt(), data=data, meta=META)
