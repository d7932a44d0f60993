"""Silence, decided; completeness, counted."""

from datetime import UTC, datetime, timedelta

import pytest

from letopis.audit.voice import counting
from letopis.audit.voice.decider import VOICE, ExpectationUnclear, Listen, SetExpectation
from letopis.audit.voice.events import Counted, ExpectationSet, SilenceBegan, SilenceEnded
from letopis.common.testing.decider import given

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHO = {"kind": "model", "name": "credit"}


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def listen(at, last=0, usual=100):
    return Listen(**WHO, last_at=None if last is None else after(last), usual=usual, at=after(at))


BEGAN = SilenceBegan(**WHO, within_seconds=100, last_at=after(0), at=after(101))


class TestSilence:
    def test_begins_when_nothing_was_heard_for_longer_than_expected(self):
        given(VOICE).when(listen(100)).then()
        given(VOICE).when(listen(101)).then(BEGAN)

    def test_is_told_once_and_its_end_once(self):
        given(VOICE, BEGAN).when(listen(500)).then()
        ended = SilenceEnded(**WHO, heard_at=after(499), at=after(500))
        given(VOICE, BEGAN).when(listen(500, last=499)).then(ended)
        given(VOICE, BEGAN, ended).when(listen(501, last=499)).then()

    def test_of_whom_nothing_is_expected_is_none(self):
        given(VOICE).when(listen(10**6, last=None, usual=None)).then()

    def test_of_one_never_heard_begins_at_once(self):
        began = SilenceBegan(**WHO, within_seconds=100, last_at=None, at=after(1))
        given(VOICE).when(listen(1, last=None)).then(began)

    def test_what_a_person_says_goes_before_what_is_usual(self):
        said = ExpectationSet(**WHO, within_seconds=1000, reason="monthly batch", by="olga")
        given(VOICE, said).when(listen(500)).then()
        never = ExpectationSet(**WHO, within_seconds=None, reason="being retired", by="olga")
        given(VOICE, BEGAN, never).when(listen(500)).then(SilenceEnded(**WHO, heard_at=after(0), at=after(500)))


class TestExpect:
    @pytest.mark.parametrize(("seconds", "reason"), [(59, "long enough"), (10**9, "long enough"), (100, "short")])
    def test_needs_a_length_and_a_reason(self, seconds, reason):
        with pytest.raises(ExpectationUnclear):
            given(VOICE).when(SetExpectation(**WHO, within_seconds=seconds, reason=reason, by="olga"))


def count(owner, copied, sealed, *, halted=False):
    return {"registry": Counted(owner=owner, copied=copied, sealed=sealed, halted=halted)}


class TestMissing:
    @pytest.mark.parametrize(
        ("before", "now", "wrong"),
        [
            (count(5, 5, 5), count(9, 7, 6), ()),
            (count(5, 5, 5), count(9, 4, 4), ("registry: 5 were there a minute ago, 4 are copied",)),
            (count(5, 5, 3), count(5, 5, 4), ("registry: 5 were there a minute ago, 4 are sealed",)),
            (count(5, 5, 5), count(None, 5, 5), ("registry: its owner does not answer",)),
            (count(5, 5, 5), count(4, 5, 5), ("registry: its owner has 4, 5 were copied",)),
            (count(5, 5, 5), count(5, 5, 5, halted=True), ("registry: stands still, an incident is open",)),
            ({}, count(9, 0, 0), ()),
        ],
    )
    def test_what_was_there_a_minute_ago_must_be_sealed(self, before, now, wrong):
        assert counting.missing(before, now) == wrong

    def test_the_text_tells_every_ledger(self):
        told = counting.text(7, NOON, count(9, 7, 6), ("registry: lost",))
        assert told.splitlines() == [
            "letopis-heartbeat-v1", "7", "2026-03-01T12:00:00.000000Z", "incomplete", "registry 9 7 6",
            "missing registry: lost",
        ]  # fmt: skip
