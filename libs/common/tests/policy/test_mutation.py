"""Mutants: of a rule they change one thing at a time; of the gate that everybody shares none goes unnoticed."""

from letopis.common.policy import mutation, trial
from letopis.common.policy.sources import Room, gate

# All of them are `make policy-mutants`.
EVERY = 5
MODULE = """package p

# A comment with == in it.
default allow := false

deny contains "area.reason" if {
	input.n <= 20
	not input.kind == "gift"
}
"""


class TestChanged:
    def test_is_every_place_and_nothing_of_comments_and_heads(self) -> None:
        told = [one.label.rpartition("`: ")[2] for one in mutation.changed(MODULE)]
        assert told == [
            "<= -> >",
            "<= -> <",
            "== -> !=",
            "20 -> 21",
            '"gift" -> "mutated"',
            "not -> gone",
            "input.n <= 20 -> gone",
            'not input.kind == "gift" -> gone',
        ]

    def test_drops_each_rule(self) -> None:
        (dropped,) = mutation.dropped(MODULE)
        assert dropped.label == "area.reason (body 1)"
        assert 'deny contains "area.reason" if false' in dropped.module


def test_a_change_of_the_gate_is_noticed_by_a_test(rooms: list[Room]) -> None:
    outcomes = list(trial.outcomes_of_gate(rooms, list(mutation.of(gate()))[::EVERY]))
    assert [one.mutation.label for one in outcomes if not one.noticed_by] == []
    assert len(outcomes) > 10
