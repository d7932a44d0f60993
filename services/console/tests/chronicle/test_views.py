"""The chronicle is a list of everybody's facts, also of those whose classes are not known here."""

from letopis.common.testing.views import check_view
from letopis.console.chronicle.views import SHOWN, Chronicle


class TestChronicle:
    def test_has_every_fact_but_single_decisions(self, records):
        rows = check_view(Chronicle, records)["chronicle"]
        assert set(rows) == {(one.ledger, one.position) for one in records if one.ledger != "decisions"}

    def test_tells_who_and_why(self, records):
        rows = check_view(Chronicle, records)["chronicle"]
        row = rows["access", 2]
        assert (row["type"], row["who"], row["purpose"]) == ("access.authorization.denied", "oleg", "development")

    def test_long_content_is_cut(self, records):
        rows = check_view(Chronicle, records)["chronicle"]
        assert max(len(row["content"]) for row in rows.values()) == SHOWN + len("...")
