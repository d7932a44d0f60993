"""The lint: the room to learn from passes, each broken one is named."""

from dataclasses import replace

import pytest

from letopis.common.policy.lint import lint
from letopis.common.policy.sources import Room


def complaints(rooms: list[Room], **changes: object) -> str:
    """What the lint says when the parcel room is changed so."""
    return "\n".join(lint([replace(one, **changes) if one.name == "parcel" else one for one in rooms]))


@pytest.fixture
def parcel(rooms: list[Room]) -> Room:
    return next(one for one in rooms if one.name == "parcel")


class TestLint:
    def test_has_nothing_against_the_example(self, rooms: list[Room]) -> None:
        assert lint(rooms) == []

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ("import future.keywords.not\n", "", "`import future.keywords.not` is missing"),
            ("import future.keywords.not\n", "# import future.keywords.not\n", "is missing"),
            ("import rego.v1\n", "", "`import rego.v1` is missing"),
            ("default allow := false\n", "", "`default allow := false` is missing"),
            ("default allow := false\n", "default allow := true\n", "`default allow := false` is missing"),
            ("package letopis.demo.parcel", "package letopis.demo.packet", "the package must be"),
            ('deny contains "parcel.too_heavy"', "deny contains id", "must contain a literal id"),
            ('deny contains "parcel.too_heavy"', 'deny contains "parcel.odd"', "parcel.odd has no entry"),
            ("not light", 'not light\n\thttp.send({"url": "http://x"})', "http.send would make"),
            ("not light", "not light\n\ttime.now_ns() > 0", "time.now_ns would make"),
            ("input.object.attributes.gift", "input.facts.gift", "input.facts.gift is read"),
        ],
    )
    def test_names_a_broken_module(self, rooms: list[Room], parcel: Room, old: str, new: str, complaint: str) -> None:
        assert old in parcel.module
        assert complaint in complaints(rooms, module=parcel.module.replace(old, new))

    @pytest.mark.parametrize(
        ("action", "table", "complaint"),
        [
            ("demo.parcel.x", {"roles": ["operater"], "requires": []}, "unknown role operater"),
            ("demo.other.x", {"roles": [], "requires": []}, "must read demo.parcel.<verb>"),
            ("demo.parcel.x", {"roles": []}, "exactly `roles` and `requires`"),
            ("demo.parcel.x", {"roles": [], "requires": ["body.x"]}, "no field body.x"),
        ],
    )
    def test_names_a_broken_action(
        self, rooms: list[Room], parcel: Room, action: str, table: object, complaint: str
    ) -> None:
        assert complaint in complaints(rooms, actions=parcel.actions | {action: table})

    def test_names_a_field_nobody_described_and_one_described_in_other_words(
        self, rooms: list[Room], parcel: Room
    ) -> None:
        without = {path: told for path, told in parcel.fields.items() if path != "facts.packer"}
        assert "facts.packer is required, but `fields` does not say" in complaints(rooms, fields=without)
        odd = parcel.fields | {"facts.packer": {"type": "array", "items": {"format": "uuid"}}}
        assert "field facts.packer uses format" in complaints(rooms, fields=odd)
        assert "by JSON schemas, not body.x" in complaints(rooms, fields=parcel.fields | {"body.x": {"type": "string"}})

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"remedy": ""}, "none empty"),
            ({"mode": "sometimes"}, "mode sometimes is none of"),
        ],
    )
    def test_names_a_rule_that_tells_nobody_anything(
        self, rooms: list[Room], parcel: Room, change: dict[str, str], complaint: str
    ) -> None:
        told = parcel.rules["parcel.too_heavy"] | change
        assert complaint in complaints(rooms, rules=parcel.rules | {"parcel.too_heavy": told})

    def test_names_missing_tests_and_an_unlisted_room(self, rooms: list[Room], parcel: Room) -> None:
        assert "policy_test.rego is missing" in complaints(rooms, test="")
        untold = parcel.test.replace('"parcel.too_heavy"', '"parcel.light"')
        assert "no test names rule parcel.too_heavy" in complaints(rooms, test=untold)
        assert "does not list room" in complaints(rooms, name="packet")
