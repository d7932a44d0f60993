"""Canonical text of any fact fits the schema that is told of it, and the document fits AsyncAPI's own schema."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from letopis.common.contracts.asyncapi import ContractError, asyncapi
from letopis.common.contracts.payload import schemas
from letopis.common.serialization import LARGEST, BigInt, Catalogue, Personal, Real, canonical

ASYNCAPI = json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_bytes())


class Stage(Enum):
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    column: str
    weight: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Every kind that a fact may hold."""

    subject: str
    name: Annotated[str, Personal("client:{subject}")]
    stage: Stage
    kind: Literal["a", "b"]
    count: int
    large: BigInt
    share: float
    price: Decimal
    on: date
    at: datetime
    id: UUID
    raw: bytes
    lines: tuple[Line, ...]
    more: dict[str, int]
    maybe: Line | None = None
    words: tuple[str, ...] = field(default=())


FACTS = Catalogue([("shop.parcel.told", 1, Told)])
small = st.integers(-LARGEST, LARGEST)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
lines = st.builds(Line, column=text, weight=st.floats().map(Real))
tolds = st.builds(
    Told,
    subject=text,
    name=text,
    stage=st.sampled_from(Stage),
    kind=st.sampled_from(["a", "b"]),
    count=small,
    large=st.integers().map(BigInt),
    share=st.floats(allow_nan=False, allow_infinity=False),
    price=st.decimals(allow_nan=False, allow_infinity=False, places=2),
    on=st.dates(),
    at=st.datetimes(timezones=st.just(UTC)),
    id=st.uuids(),
    raw=st.binary(max_size=4),
    lines=st.lists(lines, max_size=2).map(tuple),
    more=st.dictionaries(text, small, max_size=2),
    maybe=st.none() | lines,
    words=st.lists(text, max_size=2).map(tuple),
)


def validator(facts, name):
    made = schemas(facts)
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": made}},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def stored(fact):
    """What the ledger holds of a fact."""
    return json.loads(FACTS.encode(fact, lambda subject, field, content: f"sealed.v1.{subject}.{field}").data)


FACT = Told(
    subject="s",
    name="Anna",
    stage=Stage.TEST,
    kind="a",
    count=1,
    large=BigInt(2),
    share=0.5,
    price=Decimal("1.50"),
    on=date(2026, 11, 21),
    at=datetime(2026, 11, 21, tzinfo=UTC),
    id=UUID(int=0),
    raw=b"",
    lines=(),
    more={},
)


class TestSchemas:
    FITS = validator(FACTS, "shop.parcel.told.v1")

    @given(tolds)
    def test_canonical_text_always_fits(self, fact):
        self.FITS.validate(stored(fact))

    @given(tolds, st.sampled_from(sorted(Told.__dataclass_fields__)))
    def test_every_field_is_required(self, fact, name):
        document = stored(fact)
        del document[name]
        assert not self.FITS.is_valid(document)

    def test_personal_fields_are_marked(self):
        shape = schemas(FACTS)["shop.parcel.told.v1"]["properties"]
        assert shape["name"]["x-personal"] == {"subject": "client:{subject}", "content": {"type": "string"}}
        assert not self.FITS.is_valid(json.loads(canonical(FACT)))
        assert [name for name, part in shape.items() if "x-personal" in part] == ["name"]

    def test_two_parts_of_one_name_are_refused(self):
        part = dataclass(frozen=True)(type("Line", (), {"__annotations__": {"other": int}}))
        other = dataclass(frozen=True)(type("Other", (), {"__annotations__": {"line": part}}))
        with pytest.raises(ContractError, match="Line"):
            asyncapi("Shop", "shop", {"shop": FACTS, "more": Catalogue([("more.parcel.told", 1, other)])})


class TestDocument:
    @pytest.mark.parametrize("telemetry", [(), ("shop",)])
    def test_fits_the_schema_of_asyncapi_itself(self, telemetry):
        Draft7Validator(ASYNCAPI).validate(asyncapi("Shop", "shop", {"shop": FACTS}, telemetry))
