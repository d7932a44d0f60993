"""Alerts are folds of monitoring's facts."""

from letopis.common.testing.views import check_view
from letopis.console.alert.views import AlertCards


class TestAlertCards:
    def test_an_alert_that_goes_on_shows_what_was_seen_last(self, records):
        row = check_view(AlertCards, records)["alert_cards"][("a1",)]
        assert (row["state"], row["severity"], row["person"]) == ("acknowledged", "critical", "vera")
        assert (row["first_bucket"], row["last_bucket"]) == ("2005-09", "2005-10")

    def test_an_alert_raised_again_is_open_and_forgets_its_verdict(self, records):
        row = check_view(AlertCards, records)["alert_cards"][("a2",)]
        assert (row["episode"], row["state"], row["verdict"], row["comment"]) == (2, "open", "", "")

    def test_a_resolved_alert_says_by_whom_and_how(self, records):
        row = check_view(AlertCards, records)["alert_cards"][("a3",)]
        assert (row["state"], row["person"], row["verdict"]) == ("resolved", "vera", "confirmed")
