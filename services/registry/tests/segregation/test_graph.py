"""Whose hands are not independent: a breadth-first search held against every chain of hands there can be."""

from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from letopis.registry.segregation.graph import Hands, told
from letopis.registry.segregation.looking import committers, graph

PEOPLE = ("anna", "boris", "carl", "dora", "egor")
PERSON = st.sampled_from(PEOPLE)
HANDS = st.builds(
    Hands,
    names=st.dictionaries(st.sampled_from([*PEOPLE, "a.second", "b.second"]), PERSON, max_size=7).map(
        lambda names: {**{one: one for one in PEOPLE}, **{key: one for key, one in names.items() if "." in key}}
    ),
    lent=st.frozensets(st.tuples(PERSON, PERSON), max_size=5),
    teams=st.dictionaries(st.sampled_from(["x", "y"]), st.frozensets(PERSON, max_size=3), max_size=2),
)
NAME = st.sampled_from([*PEOPLE, "a.second", "b.second", "stranger"])


def linked(hands, one, other):
    """Whether one hand moves the next: they lent it a role, or build in one team."""
    return (one, other) in hands.lent or any(one in team and other in team for team in hands.teams.values())


def reachable(hands, origins, approver):
    """The twin: every chain of different people, tried out."""
    starts, goal = {hands.person_of(one) for one in origins if one}, hands.person_of(approver)
    if goal in starts:
        return True
    others = [one for one in PEOPLE if one != goal]
    return any(
        chain[0] in starts and all(linked(hands, *pair) for pair in pairwise((*chain, goal)))
        for size in range(1, len(others) + 1)
        for chain in permutations(others, size)
    )


class TestPath:
    @given(HANDS, st.lists(NAME, max_size=3), NAME)
    def test_is_found_exactly_where_a_chain_of_hands_exists(self, hands, origins, approver):
        path = hands.path(origins, approver)
        assert (path is not None) == reachable(hands, origins, approver)
        if path is not None:
            assert path[0].person in {hands.person_of(one) for one in origins}
            assert path[-1].person == hands.person_of(approver)
            assert all(linked(hands, one.person, other.person) for one, other in pairwise(path))

    @given(HANDS, st.lists(NAME, min_size=1, max_size=3), NAME, PERSON, PERSON)
    def test_another_loan_never_makes_anybody_more_independent(self, hands, origins, approver, lender, borrower):
        more = Hands(names=hands.names, lent=hands.lent | {(lender, borrower)}, teams=hands.teams)
        if hands.path(origins, approver) is not None:
            assert more.path(origins, approver) is not None

    def test_is_told_in_words(self):
        hands = Hands(names={}, lent=frozenset({("anna", "boris")}), teams={"cards": frozenset({"boris", "carl"})})
        assert told(hands.path(["anna"], "carl")) == "anna made or asked, boris by a lent role, carl by the team cards"
        # A role that the approver lent to the author does not make the approver the author's hand.
        assert Hands(names={}, lent=frozenset({("boris", "anna")}), teams={}).path(["anna"], "boris") is None


class TestLooking:
    def test_logins_commits_and_teams_lead_to_people(self):
        rows = [
            {"login": "anna", "person": "anna", "groups": ["team:cards"]},
            {"login": "anna-second", "person": "anna", "groups": []},
            {"login": "boris", "person": "boris", "groups": ["team:cards", "ledger:audit"]},
            {"login": "vera", "person": "vera", "groups": ["ledger:audit"]},
        ]
        hands = graph(rows, [{"by_person": "boris", "person": "vera"}])
        wrote = committers({"code": {"commit": "c0ffee", "authors": ["Anna-Second@bank.example"]}})
        assert [step.person for step in hands.path(wrote, "vera")] == ["anna", "boris", "vera"]
        assert graph(rows, []).path(wrote, "vera") is None
        assert committers({"code": {"commit": "c0ffee"}}) == []
