"""Promotions are folds of the registry's facts."""

from letopis.common.testing.views import check_view
from letopis.console.promotion.views import PromotionCards


class TestPromotionCards:
    def test_tells_how_each_ended(self, records):
        rows = check_view(PromotionCards, records)["promotion_cards"]
        states = {key[0]: row["state"] for key, row in rows.items()}
        assert states == {"p1": "completed", "p2": "completed", "p3": "rejected", "p4": "requested"}

    def test_tells_whose_key_signed_what_and_where_that_is_recorded(self, records):
        row = check_view(PromotionCards, records)["promotion_cards"][("p1",)]
        (vote,) = row["votes"]
        recorded = next(one for one in records if str(one.event_id) == vote["event_id"])
        assert (vote["person"], vote["verdict"], vote["key_id"]) == ("boris", "approves", "00aa")
        assert (recorded.type, recorded.position) == ("registry.promotion.approved", vote["position"])
        assert (row["version_digest"], row["environment_digest"]) == ("d" * 64, "e" * 64)
