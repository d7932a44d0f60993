"""From bytes to a row: what fits is typed, what does not is named, field by field."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.errors import Invalid
from letopis.inference.scoring.plan import BadRows, Plan, plan_of

MANIFEST: dict[str, Any] = {
    "signature": {
        "inputs": [
            {"name": "limit bal", "type": "double", "required": True},
            {"name": "age", "type": "long", "required": True},
            {"name": "married", "type": "boolean", "required": False},
        ]
    },
    "features": {"bundle": None, "entity": "account_id"},
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(MANIFEST)


def fields(plan: Plan, body: object) -> set[str]:
    with pytest.raises(BadRows) as caught:
        plan.parse(body if isinstance(body, bytes) else json.dumps(body).encode())
    return {one.field for one in caught.value.problems}


class TestParse:
    def test_types_values_as_the_signature_says(self, plan: Plan) -> None:
        (row,), single = plan.parse(b'{"account_id": 17, "limit bal": 20000, "age": 24, "married": true}')
        assert single
        assert row.entity_id == "17"
        assert row.inputs == {"limit bal": 20000.0, "age": 24, "married": True}
        assert isinstance(row.inputs["limit bal"], float)
        assert plan.vector(row.inputs) == [20000.0, 24.0, 1.0]

    def test_null_and_left_out_are_missing_but_told_apart(self, plan: Plan) -> None:
        (row,), _ = plan.parse(b'{"limit bal": 1, "age": null}')
        assert row.inputs == {"limit bal": 1.0, "age": None}
        assert row.absent == ("married",)
        assert math.isnan(plan.vector(row.inputs)[1])
        assert [one.field for one in plan.missing(row.inputs)] == ["age"]

    def test_names_every_wrong_field(self, plan: Plan) -> None:
        assert fields(plan, {"limit bal": "x", "age": 2.5, "colour": "red", "married": 1}) == {
            "limit bal",
            "age",
            "colour",
            "married",
        }
        assert fields(plan, [{"age": 1}, {"age": True}, {"height": 2}]) == {"age", "height"}
        assert fields(plan, {"account_id": 1.5}) == {"account_id"}
        assert fields(plan, {"age": 2**53}) == {"age"}

    @pytest.mark.parametrize(
        "body", [b"", b"[", b"3", b"[]", b'"x"', b"[[1]]", b"\xff", json.dumps([{}] * 1001).encode()]
    )
    def test_bodies_that_are_no_rows(self, plan: Plan, body: bytes) -> None:
        assert fields(plan, body) == {""}

    @given(
        st.dictionaries(
            st.sampled_from(["limit bal", "age", "married", "account_id", "other"]),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=3),
        )
    )
    def test_a_row_parses_or_is_refused_by_name(self, row: dict[str, Any]) -> None:
        """The slow telling of problems agrees with the fast decoder about what is wrong."""
        plan = plan_of(MANIFEST)
        try:
            (parsed,), _ = plan.parse(json.dumps(row).encode())
        except BadRows as bad:
            named = {one.field for one in bad.problems}
        else:
            named = set(row) if set(parsed.inputs) == set(row) - {"account_id"} else set()
        assert named <= set(row)
        assert named or not row


class TestPlanOf:
    def test_text_inputs_are_not_served_yet(self) -> None:
        manifest = {"signature": {"inputs": [{"name": "city", "type": "string"}]}}
        with pytest.raises(Invalid, match="city"):
            plan_of(manifest)

    def test_the_entity_cannot_be_an_input(self) -> None:
        manifest = {
            "signature": {"inputs": [{"name": "account_id", "type": "long"}]},
            "features": {"entity": "account_id"},
        }
        with pytest.raises(Invalid, match="account_id"):
            plan_of(manifest)
