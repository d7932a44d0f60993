"""Reports by the calendar: each period once, delivered as it was issued, on the authority of who set the schedule."""

import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from letopis.audit.report.issuing import Issuing
from letopis.audit.schedule.calendar import due, period_of
from letopis.audit.schedule.clock import Clockwork
from letopis.audit.schedule.decider import SCHEDULE, FulfilSchedule, ScheduleUnknown, SetSchedule, StopSchedule
from letopis.audit.schedule.events import ScheduleFulfilled, ScheduleSet, ScheduleStopped
from letopis.common.ledgers import LEDGERS
from letopis.common.testing.decider import given

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
EVERY = ("day", "week", "month", "quarter")
SET = SetSchedule(schedule_id="changes", type="change_log", every="month", by="irina", at=AT)
WAS_SET = ScheduleSet(schedule_id="changes", type="change_log", every="month", by="irina", at=AT)
FULFIL = FulfilSchedule(
    schedule_id="changes", first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), report_id="r", place="p", files={}
)
DONE = ScheduleFulfilled(
    schedule_id="changes", first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), report_id="r", place="p", files={}
)


class TestCalendar:
    @given_any(st.sampled_from(EVERY), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    def test_periods_cover_every_day_once(self, every, day):
        first, last = period_of(every, day)
        assert first <= day <= last
        assert period_of(every, last) == (first, last)
        following = last + timedelta(days=1)
        assert period_of(every, following)[0] == following

    def test_a_quarter_is_three_months(self):
        assert period_of("quarter", date(2024, 2, 29)) == (date(2024, 1, 1), date(2024, 3, 31))
        assert period_of("week", date(2026, 11, 21)) == (date(2026, 11, 16), date(2026, 11, 22))

    def test_nothing_is_due_before_its_last_day_is_over(self):
        assert due("day", date(2026, 11, 21), datetime(2026, 11, 21, 23, 59, tzinfo=UTC)) is None
        assert due("day", date(2026, 11, 21), datetime(2026, 11, 22, tzinfo=UTC)) == (date(2026, 11, 21),) * 2


class TestSchedule:
    def test_is_set_fulfilled_once_and_stopped(self):
        given(SCHEDULE).when(SET).then(WAS_SET)
        given(SCHEDULE, WAS_SET).when(SET).then()
        given(SCHEDULE, WAS_SET).when(FULFIL).then(DONE)
        given(SCHEDULE, WAS_SET, DONE).when(FULFIL).then()
        stopped = ScheduleStopped(schedule_id="changes", reason="no more", by="irina")
        given(SCHEDULE, WAS_SET).when(StopSchedule(schedule_id="changes", reason="no more", by="irina")).then(stopped)
        given(SCHEDULE, WAS_SET, stopped).when(FULFIL).then()

    def test_that_does_not_run_cannot_be_stopped(self):
        with pytest.raises(ScheduleUnknown):
            given(SCHEDULE).when(StopSchedule(schedule_id="changes", reason="no more", by="irina"))


class Later:
    """A clock that is set."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


class TestClockwork:
    async def test_issues_and_delivers_each_period_once(self, chronicle, kit, tmp_path):
        await chronicle.seal("registry", kit.registry())
        for ledger in ("inference", "monitoring"):
            await chronicle.seal(ledger)
        path = "/v1/report-schedules/changes"
        put = await chronicle.client.put(
            path, json={"type": "change_log", "every": "day"}, headers=chronicle._as("irina")
        )
        assert put.status_code == 201, put.text
        clock, resources = Later(datetime.now(UTC) + timedelta(days=2)), chronicle.resources
        held = type("Held", (), {**{name: getattr(resources, name) for name in _USED}, "clock": clock})
        issuing = Issuing(copies=resources.copies, log=resources.log, ledgers=LEDGERS)
        clockwork = Clockwork(resources=held, issuing=issuing, folder=tmp_path / "out")
        assert [await clockwork.fulfilled("changes") for _ in range(3)] == [True, True, False]
        facts = [one for one in await chronicle.facts() if one.type.startswith("audit.")]
        assert [one.type.removeprefix("audit.") for one in facts] == [
            "schedule.set", "report.issued", "schedule.fulfilled", "report.issued", "schedule.fulfilled",
        ]  # fmt: skip
        done = json.loads(facts[2].data)
        folder = tmp_path / "out" / done["place"]
        assert {one.name: sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()} == done["files"]
        assert sorted(done["files"]) == ["envelope.json", "report.csv", "report.en.pdf", "report.json", "report.ru.pdf"]
        scope = json.loads((folder / "report.json").read_bytes())["scope"]
        assert scope == {"first_day": done["first_day"], "last_day": done["last_day"]}
        meta = json.loads(facts[1].meta)
        assert (meta["actor"]["service"], meta["purpose"]) == ("audit", "supervision")
        assert meta["authorization"]["action"] == "audit.schedule.set"
        stopped = await chronicle.post(f"{path}/stops", {"reason": "no longer asked for"})
        assert stopped.status_code == 201
        assert not await clockwork.fulfilled("changes")

    async def test_of_a_report_about_one_thing_is_refused(self, chronicle):
        for body, code in (
            ({"type": "decision_file", "every": "day"}, "report.scope_wrong"),
            ({"type": "none", "every": "day"}, "report.type_unknown"),
        ):
            answer = await chronicle.client.put("/v1/report-schedules/x", json=body, headers=chronicle._as("irina"))
            assert answer.json()["code"] == code


_USED = ("desk", "store", "shelf", "objects", "signer", "views")
