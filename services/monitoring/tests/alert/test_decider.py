"""An alert's episodes, and that telling the same again changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given as drawn
from hypothesis import strategies as st

from letopis.common.decider import fold
from letopis.common.testing.decider import given
from letopis.monitoring.alert.decider import (
    ALERT,
    AcknowledgeAlert,
    AlertOver,
    AlertTaken,
    AlertUnknown,
    CommentMissing,
    RaiseAlert,
    ResolveAlert,
    alert_id,
)
from letopis.monitoring.alert.events import (
    AlertAcknowledged,
    AlertContinued,
    AlertFact,
    AlertOpened,
    AlertResolved,
    Finding,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)


def month(number: int) -> datetime:
    return datetime(2005, number, 1, tzinfo=UTC)


SEPTEMBER = Finding(
    kind="contract",
    check="level",
    feature="status",
    level="1",
    bucket="2005-09",
    bucket_start=month(9),
    severity="critical",
    text="status code 1: 28 -> 3,688 rows",
    measure="rows",
    old=28.0,
    new=3688.0,
    old_rows=30_000,
    new_rows=30_000,
)
OCTOBER = replace(SEPTEMBER, bucket="2005-10", bucket_start=month(10))
ID = alert_id("credit-default.1", SEPTEMBER)


def told(finding: Finding) -> RaiseAlert:
    return RaiseAlert(model_id="credit-default", version_id="credit-default.1", finding=finding, at=AT)


def opened(finding: Finding, episode: int = 1) -> AlertOpened:
    values = {name: getattr(finding, name) for name in Finding.__dataclass_fields__}
    return AlertOpened(
        alert_id=ID, episode=episode, model_id="credit-default", version_id="credit-default.1", at=AT, **values
    )


def continued(finding: Finding) -> AlertContinued:
    names = ("bucket", "bucket_start", "severity", "text", "old", "new", "old_rows", "new_rows")
    return AlertContinued(alert_id=ID, episode=1, at=AT, **{name: getattr(finding, name) for name in names})


ACKNOWLEDGE = AcknowledgeAlert(person="anna", comment="looking", at=AT)
ACKNOWLEDGED = AlertAcknowledged(alert_id=ID, episode=1, person="anna", comment="looking", at=AT)
RESOLVE = ResolveAlert(person="boris", verdict="confirmed", comment="upstream recoded", at=AT)
RESOLVED = AlertResolved(alert_id=ID, episode=1, person="boris", verdict="confirmed", comment="upstream recoded", at=AT)


class TestRaise:
    def test_opens_an_alert(self) -> None:
        given(ALERT).when(told(SEPTEMBER)).then(opened(SEPTEMBER))

    def test_says_nothing_new_twice(self) -> None:
        given(ALERT, opened(SEPTEMBER)).when(told(SEPTEMBER)).then()
        given(ALERT, opened(SEPTEMBER)).when(told(replace(SEPTEMBER, new_rows=30_500))).then()

    def test_continues_in_a_later_bucket_and_when_the_bucket_grew(self) -> None:
        grown = replace(SEPTEMBER, new_rows=40_000)
        given(ALERT, opened(SEPTEMBER)).when(told(OCTOBER)).then(continued(OCTOBER))
        given(ALERT, opened(SEPTEMBER)).when(told(grown)).then(continued(grown))

    def test_continues_when_it_becomes_critical(self) -> None:
        major = replace(SEPTEMBER, severity="major")
        given(ALERT, opened(major)).when(told(SEPTEMBER)).then(continued(SEPTEMBER))

    def test_does_not_go_back_in_time(self) -> None:
        given(ALERT, opened(OCTOBER)).when(told(SEPTEMBER)).then()

    def test_opens_again_after_a_resolution_for_a_later_bucket_only(self) -> None:
        given(ALERT, opened(SEPTEMBER), RESOLVED).when(told(SEPTEMBER)).then()
        given(ALERT, opened(SEPTEMBER), RESOLVED).when(told(OCTOBER)).then(opened(OCTOBER, 2))

    @drawn(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 5)), min_size=1, max_size=20))
    def test_told_twice_ends_as_told_once(self, story: list[tuple[int, int]]) -> None:
        findings = [
            replace(SEPTEMBER, bucket=f"2005-{number:02}", bucket_start=month(number), new_rows=rows * 1000)
            for number, rows in sorted(story)
        ]
        facts: list[AlertFact] = []
        for finding in (*findings, *findings):
            before = len(facts)
            facts += ALERT.decider.decide(fold(ALERT.decider, facts), told(finding))
            assert len(facts) <= before + 1
        again = [fact for one in findings for fact in ALERT.decider.decide(fold(ALERT.decider, facts), told(one))]
        assert again == []


class TestAcknowledge:
    def test_names_the_person_once(self) -> None:
        given(ALERT, opened(SEPTEMBER)).when(ACKNOWLEDGE).then(ACKNOWLEDGED)
        given(ALERT, opened(SEPTEMBER), ACKNOWLEDGED).when(ACKNOWLEDGE).refused(AlertTaken)
        given(ALERT, opened(SEPTEMBER), ACKNOWLEDGED, continued(OCTOBER)).when(ACKNOWLEDGE).refused(AlertTaken)

    def test_needs_an_open_alert(self) -> None:
        given(ALERT).when(ACKNOWLEDGE).refused(AlertUnknown)
        given(ALERT, opened(SEPTEMBER), RESOLVED).when(ACKNOWLEDGE).refused(AlertOver)


class TestResolve:
    def test_ends_the_episode(self) -> None:
        given(ALERT, opened(SEPTEMBER)).when(RESOLVE).then(RESOLVED)
        given(ALERT, opened(SEPTEMBER), ACKNOWLEDGED).when(RESOLVE).then(RESOLVED)
        given(ALERT, opened(SEPTEMBER), RESOLVED).when(RESOLVE).refused(AlertOver)
        given(ALERT).when(RESOLVE).refused(AlertUnknown)

    def test_asks_why(self) -> None:
        given(ALERT, opened(SEPTEMBER)).when(replace(RESOLVE, comment=" ")).refused(CommentMissing)
