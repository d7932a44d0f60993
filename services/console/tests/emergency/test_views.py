"""Emergencies are a fold of the registry's facts."""

from console_history import SECOND

from letopis.common.testing.views import check_view
from letopis.console.emergency.views import Emergencies


class TestEmergencies:
    def test_says_that_the_hours_are_over_and_the_review_is_owed(self, records):
        row = check_view(Emergencies, records)["emergencies"][("g1",)]
        assert (row["version_id"], row["running"], row["review"]) == (SECOND, False, "")
