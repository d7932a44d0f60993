"""Canonical bytes, what they refuse, and the catalogue that reads them back."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.serialization import (
    BigInt,
    Catalogue,
    NotCanonical,
    Real,
    UnknownFact,
    Upcast,
    canonical,
)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    b: int
    a: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    name: str
    id: UUID
    at: datetime
    day: date
    amount: Decimal
    ratio: float
    odd: Real
    big: BigInt
    inner: Inner
    many: tuple[int, ...]
    raw: bytes
    colour: Colour


SAMPLE = Sample(
    name="Анна",
    id=UUID(int=7),
    at=datetime(2026, 11, 21, 9, 0, tzinfo=timezone(timedelta(hours=3))),
    day=date(2026, 11, 21),
    amount=Decimal("10.50"),
    ratio=-0.0,
    odd=Real("nan"),
    big=BigInt(2**80),
    inner=Inner(b=1, a=None),
    many=(3, 1, 2),
    raw=b"\x00\xff",
    colour=Colour.RED,
)
GOLDEN = (
    '{"amount":"10.50","at":"2026-11-21T06:00:00Z","big":"1208925819614629174706176","colour":"red",'
    '"day":"2026-11-21","id":"00000000-0000-0000-0000-000000000007","inner":{"a":null,"b":1},"many":[3,1,2],'
    '"name":"Анна","odd":"NaN","ratio":-0.0,"raw":"AP8="}'
)
FACTS = Catalogue([("sample.thing.happened", 1, Sample), ("sample.inner.seen", 2, Inner)])


class TestCanonical:
    def test_golden_text(self):
        assert canonical(SAMPLE).decode() == GOLDEN

    @pytest.mark.parametrize(
        "value",
        [
            math.nan,
            math.inf,
            2**53,
            -(2**53),
            {1, 2},
            datetime(2026, 1, 1),  # noqa: DTZ001
            "\ud800",
            {1: "x"},
            {"\udfff": 1},
            Decimal("NaN"),
            object,
        ],
        ids=repr,
    )
    def test_refuses_what_has_no_single_spelling(self, value):
        with pytest.raises(NotCanonical):
            canonical({"value": value} if not isinstance(value, dict) else value)

    @given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53) + 1, 2**53 - 1)))
    def test_keys_stand_in_code_point_order(self, value):
        assert list(json.loads(canonical(value))) == sorted(value)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**53) + 1, 2**53 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
        )
    )
    def test_nothing_is_lost(self, value):
        assert json.loads(canonical(value)) == value


class TestCatalogue:
    def test_reads_back_what_it_wrote(self):
        back = FACTS.decode(*FACTS.encode(SAMPLE))
        assert math.isnan(back.odd)
        assert canonical(back) == canonical(SAMPLE)
        assert back.at == SAMPLE.at.astimezone(UTC)

    def test_lifts_an_older_shape(self):
        lifted = Catalogue(
            FACTS.entries, [Upcast(type="sample.inner.seen", from_version=1, change=lambda old: {**old, "a": None})]
        )
        assert lifted.decode("sample.inner.seen", 1, b'{"b":5}') == Inner(b=5, a=None)

    def test_names_what_it_cannot_read(self):
        with pytest.raises(UnknownFact, match=r"sample\.inner\.seen version 9"):
            FACTS.decode("sample.inner.seen", 9, b"{}")
        with pytest.raises(UnknownFact):
            FACTS.encode(Colour.RED)

    def test_refuses_a_name_twice(self):
        with pytest.raises(UnknownFact):
            Catalogue([("a.b.c", 1, Inner), ("a.b.c", 1, Sample)])

    def test_merges_rooms(self):
        assert (FACTS | Catalogue([("x.y.z", 1, Colour)])).types == {
            "sample.thing.happened",
            "sample.inner.seen",
            "x.y.z",
        }
