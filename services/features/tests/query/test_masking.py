"""Masks: stable within a purpose, strangers across purposes, and never the value itself (A30)."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.errors import Invalid
from letopis.features.query.masking import masked, tokens_of

MASTER = bytes(range(32))
CREDIT, MARKETING = tokens_of(MASTER, "credit"), tokens_of(MASTER, "marketing")


@settings(max_examples=50)
@given(st.text(), st.text())
def test_tokens_are_equal_exactly_for_equal_values_and_reveal_them(one, other):
    assert (CREDIT.token("email", one) == CREDIT.token("email", other)) == (one == other)
    assert CREDIT.reveal("email", CREDIT.token("email", one)) == one


def test_tokens_of_two_purposes_or_kinds_never_meet():
    value = "anna@example.com"
    assert len({CREDIT.token("email", value), MARKETING.token("email", value), CREDIT.token("phone", value)}) == 3
    with pytest.raises(Invalid):
        MARKETING.reveal("email", CREDIT.token("email", value))


def test_short_values_do_not_tell_their_length():
    assert len(CREDIT.token("card", "4111111111111")) == len(CREDIT.token("card", "1"))


def test_a_token_is_the_same_on_every_machine():
    # A fixed vector: a change here would break every join with data sets built before.
    assert CREDIT.token("email", "anna@example.com") == (
        "tok_qqrzv5baalbp6wb523ocatv6eqllp3ktjml7om2kthzvjcsfyq2a6rqk5l4hbh5snrcab3zwl4oaa"
    )


def test_each_treatment():
    table = pa.table(
        {
            "account_id": [1, 2, 3],
            "email": ["a@x.org", None, "a@x.org"],
            "born": [date(1980, 5, 1), None, date(1999, 1, 1)],
            "note": ["x", "y", None],
            "secret": [1, 2, 3],
            "forgotten": [1, 2, 3],
        }
    )
    treatments = {"account_id": "clear", "email": "token", "born": "year", "note": "null", "secret": "deny"}
    shown = masked(table, treatments, {"email": "email"}, CREDIT).to_pydict()
    token = CREDIT.token("email", "a@x.org")
    assert shown == {
        "account_id": [1, 2, 3],
        "email": [token, None, token],
        "born": [1980, None, 1999],
        "note": [None, None, None],
    }


def test_two_tables_still_join_on_masked_columns():
    left = pa.chunked_array([["b@x.org", "a@x.org"], ["c@x.org"]])
    right = pa.chunked_array([["a@x.org", "c@x.org", "d@x.org"]])
    shown = [
        set(masked(pa.table({"e": column}), {"e": "token"}, {"e": "email"}, CREDIT)["e"].to_pylist())
        for column in (left, right)
    ]
    assert shown[0] & shown[1] == {CREDIT.token("email", "a@x.org"), CREDIT.token("email", "c@x.org")}


def test_an_unknown_treatment_is_an_error_not_a_clear_value():
    with pytest.raises(Invalid):
        masked(pa.table({"e": ["x"]}), {"e": "blur"}, {}, CREDIT)
