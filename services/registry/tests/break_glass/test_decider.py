"""Emergencies decide: two people, hours, a third person's review."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from letopis.common.testing.decider import given
from letopis.registry.break_glass.decider import (
    BREAK_GLASS,
    ConfirmBreakGlass,
    EmergencyUnknown,
    LapseBreakGlass,
    RequestBreakGlass,
    RequestOver,
    ReviewBreakGlass,
    ReviewerInvolved,
    ReviewOwed,
    SamePerson,
)
from letopis.registry.break_glass.events import (
    BreakGlassLapsed,
    BreakGlassOpened,
    BreakGlassRequested,
    BreakGlassReviewed,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)
ABOUT = {"break_glass_id": "e1", "model_id": "credit", "version_id": "credit.2"}
ASK = RequestBreakGlass(**ABOUT, version_digest="aa", reason="scores are wrong", hours=4, by="boris", at=AT)
ASKED = BreakGlassRequested(**ABOUT, version_digest="aa", reason="scores are wrong", hours=4, by="boris", at=AT)
AGREE = ConfirmBreakGlass(break_glass_id="e1", author="anna", by="pavel", at=AT + timedelta(minutes=5))
OPENED = BreakGlassOpened(
    **ABOUT,
    version_digest="aa",
    reason="scores are wrong",
    requested_by="boris",
    confirmed_by="pavel",
    until=AT + timedelta(hours=4, minutes=5),
)
REVIEW = ReviewBreakGlass(break_glass_id="e1", outcome="justified", findings="no other way", by="vera")
REVIEWED = BreakGlassReviewed(**ABOUT, outcome="justified", findings="no other way", by="vera")
OVER = BreakGlassLapsed(**ABOUT)


class TestTwoPeople:
    def test_one_asks(self):
        given(BREAK_GLASS).when(ASK).then(ASKED)

    def test_another_opens_for_the_hours_asked_for(self):
        given(BREAK_GLASS, ASKED).when(AGREE).then(OPENED)

    @pytest.mark.parametrize("by", ["boris", "anna"])
    def test_who_asked_or_made_it_does_not_agree(self, by):
        given(BREAK_GLASS, ASKED).when(replace(AGREE, by=by)).refused(SamePerson)

    def test_nobody_agrees_a_day_later(self):
        given(BREAK_GLASS, ASKED).when(replace(AGREE, at=AT + timedelta(hours=24, seconds=1))).refused(RequestOver)

    def test_nobody_agrees_to_something_else_or_twice(self):
        given(BREAK_GLASS, ASKED).when(replace(AGREE, break_glass_id="e2")).refused(EmergencyUnknown)
        given(BREAK_GLASS, ASKED, OPENED).when(AGREE).refused(EmergencyUnknown)


class TestReview:
    def test_is_owed_before_the_next_emergency(self):
        given(BREAK_GLASS, ASKED, OPENED).when(ASK).refused(ReviewOwed)
        given(BREAK_GLASS, ASKED, OPENED, OVER).when(ASK).refused(ReviewOwed)

    @pytest.mark.parametrize("history", [[ASKED, OPENED], [ASKED, OPENED, OVER]])
    def test_is_somebody_elses(self, history):
        given(BREAK_GLASS, *history).when(REVIEW).then(REVIEWED)
        for by in ("boris", "pavel"):
            given(BREAK_GLASS, *history).when(replace(REVIEW, by=by)).refused(ReviewerInvolved)

    def test_is_made_once_and_of_what_was_opened(self):
        given(BREAK_GLASS, ASKED).when(REVIEW).refused(EmergencyUnknown)
        given(BREAK_GLASS, ASKED, OPENED, REVIEWED).when(REVIEW).refused(EmergencyUnknown)


class TestHours:
    def test_are_over_when_they_are_over_reviewed_or_not(self):
        late = LapseBreakGlass(break_glass_id="e1", at=OPENED.until)
        given(BREAK_GLASS, ASKED, OPENED).when(replace(late, at=OPENED.until - timedelta(seconds=1))).then()
        given(BREAK_GLASS, ASKED, OPENED).when(late).then(OVER)
        given(BREAK_GLASS, ASKED, OPENED, REVIEWED).when(late).then(OVER)
        given(BREAK_GLASS, ASKED, OPENED, OVER).when(late).then()

    def test_are_a_day_at_most_whatever_was_asked_for(self):
        opened = replace(OPENED, until=AGREE.at + timedelta(hours=24))
        given(BREAK_GLASS, replace(ASKED, hours=100)).when(AGREE).then(opened)
