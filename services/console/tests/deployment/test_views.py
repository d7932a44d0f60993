"""What answers is a fold of inference's facts."""

from console_history import SECOND

from letopis.common.testing.views import check_view
from letopis.console.deployment.views import Applications


class TestApplications:
    def test_tells_which_version_answers_and_what_stands_in_the_way(self, records):
        row = check_view(Applications, records)["applications"][("cards.v1",)]
        assert row["version_id"] == SECOND
        assert row["trouble"] == "cards-default.1 could not be loaded: the digest differs"

    def test_what_is_retired_is_gone(self, records):
        assert ("cards.v0",) not in check_view(Applications, records)["applications"]
