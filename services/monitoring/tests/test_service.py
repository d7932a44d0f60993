"""The service without its API, over PostgreSQL, on 2,000 accounts of the real panel."""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from letopis.common.envelope import Actor, Meta
from letopis.common.projecting.rebuild import rebuild
from letopis.monitoring.monitor.decider import MONITOR, RetireMonitor
from letopis.monitoring.monitor.views import Monitors, watching
from letopis.monitoring.outcome.views import Labelled, cohorts
from letopis.monitoring.profile.summary import summaries
from letopis.monitoring.profile.views import Profile, buckets, profile_of


async def stored(service: Any, profile: Profile) -> list[dict[str, Any]]:
    return [dict(row) for row in await service.views.rows(profile, select(Profile.table).order_by("bucket"))]


class TestSeptember:
    async def test_is_told_once_with_the_code_and_the_numbers(self, service: Any, months: Any) -> None:
        monitor = await service.define("credit-default.1", months[4])
        for month in range(5, 9):
            await service.decide("credit-default.1", month, months[month])
            assert not [one for one in await service.judge() if one["kind"] == "contract"]
        await service.decide("credit-default.1", 9, months[9])
        before = months[8]["status"].count(1)
        after = months[9]["status"].count(1)
        (alert,) = [one for one in await service.judge() if one["kind"] == "contract"]
        assert alert["text"] == f"status code 1: {before:,} -> {after:,} rows"
        assert (alert["bucket"], alert["severity"], alert["state"]) == ("2005-09", "critical", "open")
        # A process that begins again judges everything again, and says nothing new.
        head = await service.desk.store.head("monitoring")
        service.evaluation.__post_init__()
        await service.judge()
        assert await service.desk.store.head("monitoring") == head
        shown = summaries(monitor, await buckets(service.views, profile_of(monitor)))
        assert [(one["bucket"], one["rows"]) for one in shown] == [(f"2005-0{month}", 2_000) for month in range(5, 10)]
        status = shown[4]["features"][0]
        assert status["special"] == {"unseen": after}
        assert status["psi"] > 0.25


class TestInput:
    async def test_a_dropped_column_and_a_shifted_mean_are_two_alerts(self, service: Any, months: Any) -> None:
        """Checklist A13."""
        await service.define("credit-default.1", months[4])
        may = dict(months[5])
        del may["bill"]
        may["limit_amount"] = [value * 1.5 for value in may["limit_amount"]]
        await service.decide("credit-default.1", 5, may)
        told = {(one["kind"], one["check"], one["feature"]): one["alert_id"] for one in await service.judge()}
        assert set(told) == {("contract", "missing", "bill"), ("drift", "psi", "limit_amount")}
        assert len(set(told.values())) == 2


class TestEvaluation:
    async def test_waits_for_what_is_on_its_way(self, service: Any, months: Any) -> None:
        monitor = await service.define("credit-default.1", months[4])
        may = dict(months[5]) | {"paid": [None] * 2_000}
        await service.decide("credit-default.1", 5, {name: values[:500] for name, values in may.items()})
        await service.project(profile_of(monitor))
        await service.project(Labelled)
        await service.decide("credit-default.1", 5, {name: values[500:] for name, values in may.items()})
        # The ledger has more than the profile: a pause is not the end of the bucket.
        for _ in range(3):
            service.clock.at += timedelta(seconds=10)
            assert await service.evaluation.step() == 0
        (alert,) = await service.judge()
        assert alert["text"] == "paid missing: 0 -> 2,000 rows"


class TestLabels:
    async def test_that_degrade_are_told_within_their_window(self, service: Any, months: Any) -> None:
        """Checklist A12: good labels in May and June; July's are shuffled, so scores tell nothing any more."""
        await service.define("credit-default.1", months[4])
        for month in (5, 6, 7):
            columns = months[month]
            labels = list(columns["label"])
            if month == 7:
                random.Random(7).shuffle(labels)
            await service.decide("credit-default.1", month, columns)
            # Labels of a month come after its decisions have been judged.
            assert not [one for one in await service.judge() if one["kind"] == "quality"]
            await service.label(month, columns["account_id"], labels)
            found = [one for one in await service.judge() if one["kind"] == "quality"]
            assert [one["bucket"] for one in found] == (["2005-07"] if month == 7 else [])
        assert found[0]["old"] > 0.5
        assert abs(found[0]["new"]) < 0.1

    async def test_that_come_before_the_decision_count_the_same(self, service: Any, months: Any) -> None:
        may = months[5]
        monitor = await service.define("credit-default.1", months[4])
        await service.label(5, may["account_id"], may["label"])
        await service.project(Labelled)
        assert not await cohorts(service.views, monitor, service.clock.now())
        await service.decide("credit-default.1", 5, may)
        await service.project(Labelled)
        (cohort,) = await cohorts(service.views, monitor, service.clock.now())
        assert (cohort.decisions, cohort.labelled, int(cohort.bad.sum())) == (2_000, 2_000, sum(may["label"]))
        # What was known at the end of May: nothing.
        (early,) = await cohorts(service.views, monitor, service.clock.now().replace(year=2005, month=5))
        assert (early.decisions, early.labelled) == (2_000, 0)


class TestProfiles:
    async def test_are_rebuilt_to_the_same_bytes_and_do_not_mind_a_late_monitor(
        self, service: Any, months: Any
    ) -> None:
        few = {month: {name: values[:300] for name, values in months[month].items()} for month in (4, 5, 6)}
        early = await service.define("credit-default.1", few[4])
        await service.decide("credit-default.1", 5, few[5])
        await service.project(profile_of(early))
        await service.decide("credit-default.2", 5, few[5])
        await service.decide("credit-default.1", 6, few[6])
        await service.project(profile_of(early))
        late = await service.define("credit-default.2", few[4])
        await service.project(profile_of(late))
        first, second = await stored(service, profile_of(early)), await stored(service, profile_of(late))
        assert [row["rows"] for row in first] == [300, 300]
        # The same rows under the same bins, whenever they were counted.
        assert [row["packed"] for row in second] == [row["packed"] for row in first[:1]]
        assert await rebuild(profile_of(early), service.sources, service.engine) == 900
        assert await stored(service, profile_of(early)) == first

    async def test_end_with_their_monitor(self, service: Any, months: Any) -> None:
        await service.define("credit-default.1", {name: values[:50] for name, values in months[4].items()})
        retire = RetireMonitor(reason="replaced", by="boris", at=service.clock.now())
        await service.desk.handle(MONITOR, "credit-default.1", retire, Meta(actor=Actor(person="boris")))
        await service.project(Monitors)
        assert not await watching(service.views)
