"""Evidence decides: known kinds, all attempts kept, the last one counts."""

from letopis.common.decider import fold
from letopis.common.testing.decider import given
from letopis.registry.evidence.decider import EVIDENCE, AddEvidence, EvidenceKindUnknown, decide


def add(kind="fairness", outcome="passed"):
    return AddEvidence(
        version_id="c.1",
        version_digest="aa",
        kind=kind,
        outcome=outcome,
        summary="measured",
        numbers={"air": 0.91},
        attachment="",
        by="vera",
    )


class TestEvidence:
    def test_refuses_kinds_nobody_knows(self):
        given(EVIDENCE).when(add("astrology")).refused(EvidenceKindUnknown)

    def test_the_last_attempt_counts_and_all_are_kept(self):
        state, facts = EVIDENCE.decider.initial, []
        for outcome in ("passed", "failed"):
            new = decide(state, add(outcome=outcome))
            facts.extend(new)
            state = fold(EVIDENCE.decider, facts)
        assert [one.outcome for one in facts] == ["passed", "failed"]
        assert state.passed() == {}

    def test_the_digest_is_of_the_content(self):
        one, same, other = (decide(EVIDENCE.decider.initial, add(outcome=o))[0] for o in ("passed", "passed", "failed"))
        assert one.digest == same.digest != other.digest
