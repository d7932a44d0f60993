"""Identifiers that sort by time, and those that repeat."""

from letopis.common.ids import command_id, uuid7


class TestIds:
    def test_new_ids_are_version_seven_and_distinct(self):
        made = {uuid7() for _ in range(1000)}
        assert len(made) == 1000
        assert {one.version for one in made} == {7}
        assert {one.variant for one in made} == {"specified in RFC 4122"}

    def test_later_ids_sort_later(self):
        assert uuid7().int >> 80 <= uuid7().int >> 80

    def test_the_same_key_is_the_same_command_for_one_person_and_route(self):
        assert command_id("anna", "POST /v1/models", "k") == command_id("anna", "POST /v1/models", "k")
        assert command_id("anna", "POST /v1/models", "k") != command_id("boris", "POST /v1/models", "k")
