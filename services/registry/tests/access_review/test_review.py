"""The review's rows: every person once, over all logins, against a twin that asks every question one by one."""

import csv
import io
import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from letopis.registry.access_review.review import COLUMNS, document, review, table

TODAY = date(2026, 11, 21)
ROLES = ["data_scientist", "validator", "auditor", "administrator"]
TOXIC = [["data_scientist", "validator"], ["administrator", "auditor"]]
ACTIONS = {
    "registry.version.register": {"roles": ["data_scientist"]},
    "registry.promotion.approve": {"roles": ["validator", "administrator"]},
    "audit.log.read": {"roles": ["auditor"]},
    "registry.key.list": {"roles": ["*"]},
}


def principal(login, person, roles=(), state="active", until=None, **other):
    about = {"login": login, "person": person, "kind": "human", "organisation": "bank", "groups": []}
    return about | {"roles": sorted(roles), "state": state, "until": until} | other


class TestReview:
    def test_finds_a_pair_that_one_person_holds_over_two_logins(self):
        (row,) = review(
            [principal("anna", "anna", ["data_scientist"]), principal("anna2", "anna", ["validator"])],
            ACTIONS,
            TOXIC,
            TODAY,
        )
        assert row["conflicts"] == [["data_scientist", "validator"]]
        assert row["logins"] == ["anna", "anna2"]
        assert row["notes"] == ["several logins of one person"]
        assert row["actions"]["registry.promotion.approve"] == ["validator"]

    def test_who_has_ended_holds_nothing(self):
        rows = review(
            [
                principal("gone", "gone", ["auditor"], state="ended"),
                principal("over", "over", ["auditor"], until="2026-11-20"),
                principal("last-day", "last-day", ["auditor"], until="2026-11-21"),
            ],
            ACTIONS,
            TOXIC,
            TODAY,
        )
        assert [row["person"] for row in rows] == ["last-day"]

    @given(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from(ROLES)), st.sampled_from(["active", "ended"])),
            max_size=6,
        )
    )
    def test_equals_asking_one_by_one(self, given):
        principals = [principal(f"l{at}", person, roles, state) for at, (person, roles, state) in enumerate(given)]
        rows = {row["person"]: row for row in review(principals, ACTIONS, TOXIC, TODAY)}
        acting = [one for one in principals if one["state"] == "active"]
        assert rows.keys() == {one["person"] for one in acting}
        for person, row in rows.items():
            for action, told in ACTIONS.items():
                may = "*" in told["roles"] or any(
                    role in told["roles"] for one in acting if one["person"] == person for role in one["roles"]
                )
                assert (action in row["actions"]) == may
            held = {role for one in acting if one["person"] == person for role in one["roles"]}
            assert row["conflicts"] == [pair for pair in TOXIC if set(pair) <= held]


class TestTable:
    def test_holds_what_the_document_holds_and_runs_nothing(self):
        rows = review([principal("eve", "=HYPERLINK(1)", ["auditor", "administrator"])], ACTIONS, TOXIC, TODAY)
        (line,) = csv.DictReader(io.StringIO(table(rows).decode()))
        assert tuple(line) == COLUMNS
        assert line["person"] == "'=HYPERLINK(1)"
        assert line["conflicts"] == "administrator + auditor"
        told = json.loads(document(rows, "r", 7))
        assert (told["persons"], told["conflicts"], told["as_of"]) == (1, 1, {"registry": 7})
