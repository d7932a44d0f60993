"""Models and versions are folds of the registry's facts."""

import pytest
from console_history import FIRST, MODEL, SECOND

from letopis.common.testing.views import check_view
from letopis.console.wall.views import ModelCards, VersionCards
from letopis.console.worker import VIEWS


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_is_the_same_however_the_ledgers_are_cut_and_interleaved(view, records):
    content = check_view(view, records)
    assert any(content.values()), f"the history says nothing to {view.name}"


class TestModelCards:
    def test_a_rollback_brings_the_version_before_back(self, records):
        row = check_view(ModelCards, records)["model_cards"][(MODEL,)]
        assert row["in_production"] == FIRST
        assert row["use_case_id"] == "card-limits"

    def test_counts_versions_and_promotions_that_wait(self, records):
        row = check_view(ModelCards, records)["model_cards"][(MODEL,)]
        assert (row["versions"], row["waiting"]) == (2, 1)


class TestVersionCards:
    def test_the_last_attempt_of_a_check_counts(self, records):
        rows = check_view(VersionCards, records)["version_cards"]
        assert rows[(FIRST,)]["evidence"]["out_of_time_quality"] == {
            "outcome": "passed",
            "summary": "Gini 0.61",
            "by": "anna",
        }
        assert rows[(SECOND,)]["evidence"] == {}
