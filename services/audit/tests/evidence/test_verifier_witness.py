"""Packs whose logs were witnessed: a quorum passes, too few, another history and forged lines are named."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.evidence.program import remade
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.pack import verify
from letopis.audit.evidence.verifier.witness import policy_of
from letopis.audit.log.merkle import consistency_proof
from letopis.audit.witness.cosignature import Cosigner
from letopis.audit.witness.policy import parse
from letopis.common.leaf import leaf_hash

WITNESSES = {name: Cosigner(f"w.example/{name}", Ed25519PrivateKey.generate()) for name in ("one", "two", "three")}
POLICY = "\n".join(
    [*(f"witness {name} {one.verifier().text()}" for name, one in WITNESSES.items()), "group most 2 one two three"]
)


def seen(kit, ledger, records, size, names):
    """What a pack holds of a head of `size` that these witnesses signed."""
    head, note = kit.checkpoint(ledger, records[:size])
    nodes = kit.nodes_of([leaf_hash(one) for one in records])
    lines = "".join(WITNESSES[name].cosign(head.text(), 1_790_000_000) for name in names)
    held = len(records) if ledger != "decisions" else 11
    old, new = sorted((size, held))
    return {"witnessed": note + lines, "between": consistency_proof(old, new, nodes)}


@pytest.fixture
def witnessed(draft, kit):
    def made(names=("one", "two"), size=8, decisions=None):
        draft.witnessed = {
            "registry": seen(kit, "registry", draft.registry, 2, names),
            "inference": seen(kit, "inference", [], 0, names),
            "decisions": seen(kit, "decisions", decisions or draft.decisions, size, names),
        }
        return draft.made()

    return made


def checked(pack, quorum="most"):
    return verify(pack, remade, policy=policy_of(f"{POLICY}\nquorum {quorum}"))


class TestWitnessed:
    def test_by_a_quorum_passes_and_says_how_far(self, witnessed):
        verdict = checked(witnessed())
        assert verdict.faults == []
        assert "decisions: 8 of 11 facts witnessed by one, two" in verdict.checks
        assert "registry: 2 of 3 facts witnessed by one, two" in verdict.checks

    def test_after_the_pack_was_made_covers_all_of_it(self, witnessed, kit):
        verdict = checked(witnessed(size=14, decisions=kit.decisions(14)))
        assert verdict.faults == []
        assert "decisions: 11 of 11 facts witnessed by one, two" in verdict.checks

    def test_by_too_few_is_named(self, witnessed):
        assert checked(witnessed(("three",))).faults[0].place == "witnessed/decisions"
        assert checked(witnessed(("one", "two")), "three").faults[0].place == "witnessed/decisions"
        assert checked(witnessed(("three",)), "three").faults == []

    def test_of_another_history_is_named(self, witnessed, kit):
        from dataclasses import replace

        forked = [replace(one, data=b"{}") for one in kit.decisions(11)]
        assert checked(witnessed(decisions=forked)).faults[0].place == "witnessed/decisions"

    def test_never_is_named(self, draft):
        assert checked(draft.made()).faults[0].place == "witnessed/decisions"

    def test_with_a_forged_line_is_named(self, witnessed, draft, monkeypatch):
        other = Cosigner("w.example/one", Ed25519PrivateKey.generate())
        monkeypatch.setitem(WITNESSES, "one", Cosigner(other.name, other.key))
        assert checked(witnessed()).faults[0].place == "witnessed/decisions"


class TestPolicy:
    """The verifier's own telling and the chronicle's agree."""

    @pytest.mark.parametrize("quorum", ["most", "one", "none"])
    def test_counts_like_the_chronicles(self, quorum):
        text = f"{POLICY}\nquorum {quorum}"
        for signed in ((), ("one",), ("two",), ("one", "two"), ("one", "two", "three")):
            assert policy_of(text).enough(frozenset(signed)) == parse(text).satisfied(set(signed))

    @pytest.mark.parametrize(
        "text", ["", POLICY, f"{POLICY}\nquorum four", f"{POLICY}\ngroup g 3 one\nquorum g", "x\nquorum none"]
    )
    def test_that_cannot_be_is_refused(self, text):
        with pytest.raises(Bad):
            policy_of(text)
