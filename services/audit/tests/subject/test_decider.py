"""Erasure: two persons, no hold, keys told once."""

from datetime import UTC, datetime

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from letopis.audit.subject.decider import (
    SUBJECT,
    ApproveErasure,
    CertifyErasure,
    ErasureUnderWay,
    LiftHold,
    NoHold,
    NotErased,
    NotRequested,
    OwnRequest,
    PlaceHold,
    ReasonMissing,
    RecordDestroyed,
    RejectErasure,
    RequestErasure,
    UnderHold,
)
from letopis.audit.subject.events import (
    ErasureApproved,
    ErasureCertified,
    ErasureRejected,
    ErasureRequested,
    HoldLifted,
    HoldPlaced,
    SubjectKeyDestroyed,
)
from letopis.common.decider import fold
from letopis.common.errors import LetopisError
from letopis.common.testing.decider import given

AT = datetime(2026, 11, 21, tzinfo=UTC)
WHO = {"subject": "account_id:17", "at": AT}
HOLD = WHO | {"by": "irina", "reason": "a claim in court"}
ASK = WHO | {"by": "pavel", "reason": "the client asked", "erasure_id": "e1"}
AGREE = WHO | {"by": "vera", "erasure_id": "e1"}
GONE = WHO | {"erasure_id": "e1", "key_ids": ("aa", "bb")}
ASKED, APPROVED, DESTROYED = ErasureRequested(**ASK), ErasureApproved(**AGREE), SubjectKeyDestroyed(**GONE)


class TestErasure:
    def test_takes_two_persons(self):
        given(SUBJECT).when(RequestErasure(**ASK)).then(ASKED)
        given(SUBJECT, ASKED).when(ApproveErasure(**AGREE)).then(APPROVED)
        given(SUBJECT, ASKED).when(ApproveErasure(**AGREE | {"by": "pavel"})).refused(OwnRequest)

    def test_says_why(self):
        given(SUBJECT).when(RequestErasure(**ASK | {"reason": " "})).refused(ReasonMissing)

    def test_is_approved_only_where_it_was_asked_for(self):
        given(SUBJECT).when(ApproveErasure(**AGREE)).refused(NotRequested)
        given(SUBJECT, ASKED).when(ApproveErasure(**AGREE | {"erasure_id": "e2"})).refused(NotRequested)
        given(SUBJECT, ASKED, APPROVED).when(ApproveErasure(**AGREE)).refused(NotRequested)

    def test_happens_one_at_a_time(self):
        given(SUBJECT, ASKED).when(RequestErasure(**ASK | {"erasure_id": "e2"})).refused(ErasureUnderWay)
        again = ASK | {"erasure_id": "e2"}
        given(SUBJECT, ASKED, APPROVED, DESTROYED).when(RequestErasure(**again)).then(ErasureRequested(**again))

    def test_can_be_rejected(self):
        told = ASK | {"by": "vera", "reason": "a loan is running"}
        given(SUBJECT, ASKED).when(RejectErasure(**told)).then(ErasureRejected(**told))
        given(SUBJECT, ASKED, ErasureRejected(**told)).when(ApproveErasure(**AGREE)).refused(NotRequested)

    def test_tells_each_key_once_and_late_ones_with_the_last_erasure(self):
        given(SUBJECT, ASKED, APPROVED).when(RecordDestroyed(**GONE)).then(DESTROYED)
        given(SUBJECT, ASKED, APPROVED, DESTROYED).when(RecordDestroyed(**GONE)).then()
        late = WHO | {"erasure_id": "", "key_ids": ("bb", "cc")}
        told = SubjectKeyDestroyed(**WHO, erasure_id="e1", key_ids=("cc",))
        given(SUBJECT, ASKED, APPROVED, DESTROYED).when(RecordDestroyed(**late)).then(told)

    def test_of_somebody_nothing_is_sealed_for_is_told_too(self):
        none = GONE | {"key_ids": ()}
        given(SUBJECT, ASKED, APPROVED).when(RecordDestroyed(**none)).then(SubjectKeyDestroyed(**none))

    def test_is_certified_once_it_is_done(self):
        told = {"subject": "account_id:17", "erasure_id": "e1", "sha256": "ab", "by": "irina"}
        with pytest.raises(NotErased):
            SUBJECT.decider.decide(fold(SUBJECT.decider, [ASKED, APPROVED]), CertifyErasure(**told))
        given(SUBJECT, ASKED, APPROVED, DESTROYED).when(CertifyErasure(**told)).then(ErasureCertified(**told))


class TestHold:
    def test_blocks_asking_and_approving(self):
        given(SUBJECT).when(PlaceHold(**HOLD)).then(HoldPlaced(**HOLD))
        given(SUBJECT, HoldPlaced(**HOLD)).when(RequestErasure(**ASK)).refused(UnderHold)
        given(SUBJECT, ASKED, HoldPlaced(**HOLD)).when(ApproveErasure(**AGREE)).refused(UnderHold)

    def test_is_lifted_with_a_reason(self):
        lift = HOLD | {"by": "vera"}
        given(SUBJECT, HoldPlaced(**HOLD)).when(LiftHold(**lift)).then(HoldLifted(**lift))
        given(SUBJECT, HoldPlaced(**HOLD)).when(LiftHold(**lift | {"reason": ""})).refused(ReasonMissing)
        given(SUBJECT).when(LiftHold(**lift)).refused(NoHold)
        given(SUBJECT, HoldPlaced(**HOLD), HoldLifted(**lift), ASKED).when(ApproveErasure(**AGREE)).then(APPROVED)

    def test_comes_too_late_once_the_keys_are_going(self):
        given(SUBJECT, ASKED, APPROVED).when(PlaceHold(**HOLD)).refused(ErasureUnderWay)


people = st.sampled_from(["pavel", "vera"])
numbers = st.sampled_from(["e1", "e2"])
commands = st.one_of(
    st.builds(lambda by: PlaceHold(**HOLD | {"by": by}), people),
    st.builds(lambda by: LiftHold(**HOLD | {"by": by}), people),
    st.builds(lambda by, name: RequestErasure(**ASK | {"by": by, "erasure_id": name}), people, numbers),
    st.builds(lambda by, name: RejectErasure(**ASK | {"by": by, "erasure_id": name}), people, numbers),
    st.builds(lambda by, name: ApproveErasure(**AGREE | {"by": by, "erasure_id": name}), people, numbers),
    st.builds(lambda name: RecordDestroyed(**GONE | {"erasure_id": name}), numbers),
)


@examples(st.lists(commands, max_size=30))
def test_no_order_of_commands_destroys_without_two_persons_or_under_a_hold(told):
    facts = []
    for command in told:
        state = fold(SUBJECT.decider, facts)
        try:
            facts += SUBJECT.decider.decide(state, command)
        except LetopisError:
            continue
    for place, fact in enumerate(facts):
        if isinstance(fact, ErasureApproved):
            before = facts[:place]
            asked = [one for one in before if isinstance(one, ErasureRequested) and one.erasure_id == fact.erasure_id]
            assert asked[-1].by != fact.by
            holds = [one for one in before if isinstance(one, HoldPlaced | HoldLifted)]
            assert not holds or isinstance(holds[-1], HoldLifted)
        if isinstance(fact, SubjectKeyDestroyed):
            assert any(isinstance(one, ErasureApproved) and one.erasure_id == fact.erasure_id for one in facts[:place])
