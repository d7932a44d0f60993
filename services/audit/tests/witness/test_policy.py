"""Policies of who must sign: the groups of the specification's example, counted by hand; what cannot be is named."""

from itertools import chain, combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.witness.cosignature import Cosigner
from letopis.audit.witness.policy import BadPolicy, parse

NAMES = ("X1", "X2", "X3", "Y1", "Y2")
KEYS = {name: Cosigner(f"w.example/{name}", Ed25519PrivateKey.generate()).verifier().text() for name in NAMES}
LINES = [
    "# two levels of groups",
    "",
    *(f"witness {name} {KEYS[name]}" for name in NAMES),
    "group X 2 X1 X2 X3",
    "group Y any Y1 Y2",
    "group both all X Y",
    "quorum both",
]


def with_lines(*lines):
    return "\n".join([f"witness X1 {KEYS['X1']} http://127.0.0.1:1", f"witness X2 {KEYS['X2']}", *lines])


class TestSatisfied:
    def test_by_exactly_the_sets_that_the_groups_ask_for(self):
        policy = parse("\n".join(LINES))
        for signed in map(set, chain.from_iterable(combinations(NAMES, count) for count in range(6))):
            wanted = len(signed & {"X1", "X2", "X3"}) >= 2 and bool(signed & {"Y1", "Y2"})
            assert policy.satisfied(signed) == wanted

    def test_by_nobody_if_none_is_wanted(self):
        assert parse("quorum none").satisfied(set())

    def test_by_one_witness_alone(self):
        policy = parse(with_lines("quorum X1"))
        assert policy.satisfied({"X1"})
        assert not policy.satisfied({"X2"})
        assert policy.addresses == {"X1": "http://127.0.0.1:1"}


class TestParse:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "needs a line"),
            ("quorum X1", "line 1: the quorum names nothing"),
            (with_lines("quorum X1", "quorum X2"), "line 4: the quorum"),
            (with_lines(f"witness X1 {KEYS['Y1']}", "quorum none"), "line 3: the name X1 is taken"),
            (with_lines(f"witness X9 {KEYS['X1']}", "quorum none"), "count twice"),
            (with_lines("group G 3 X1 X2", "quorum G"), "3 of 2 members"),
            (with_lines("group G 0 X1 X2", "quorum G"), "0 of 2 members"),
            (with_lines("group G all X1 X1", "quorum G"), "count twice"),
            (with_lines("group G any X1", "group H any X1", "quorum G"), "count twice"),
            (with_lines("group G any X3", "quorum G"), "X3 is not defined"),
            (with_lines("group G any G", "quorum G"), "G is not defined"),
            (with_lines("group none any X1", "quorum none"), "none is taken"),
            ("witness X1 nonsense\nquorum none", "line 1"),
            ("what is this\nquorum none", "line 1: this is no line"),
        ],
    )
    def test_names_the_line_that_is_wrong(self, text, said):
        with pytest.raises(BadPolicy, match=said):
            parse(text)
