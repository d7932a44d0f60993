"""Jobs as services see them: registered, sent with ids, run, ended at their limit, counted."""

import asyncio
import json
from datetime import timedelta

import dramatiq
import pytest

from letopis.common.errors import Unavailable
from letopis.common.jobs import JobError, Jobs, make_broker
from letopis.common.observability import Metrics


class TestSend:
    def test_runs_them_with_their_ids(self, jobs, seen, working):
        name = f"{jobs.service}.parcel.send"
        jobs.add(name, seen.tell)
        jobs.send(name, "p-1", 7)
        working(jobs.broker)
        jobs.send(name, "p-2")
        seen.wait_for(2)
        assert sorted(seen.told) == [("p-1", 7), ("p-2",)]

    def test_waits_while_nobody_works(self, valkey_server, jobs, seen, working):
        """Who enqueues and who works are two processes: two brokers, the same registration."""
        elsewhere = Jobs(make_broker(valkey_server), jobs.service)
        for one in (jobs, elsewhere):
            one.add(f"{jobs.service}.parcel.send", seen.tell)
        elsewhere.send(f"{jobs.service}.parcel.send", "p-1")
        elsewhere.close()
        working(jobs.broker)
        seen.wait_for(1)

    def test_stores_ids_and_no_more(self, jobs, seen):
        name = f"{jobs.service}.parcel.send"
        jobs.add(name, seen.tell)
        jobs.send(name, "p-1", 7)
        (stored,) = jobs.broker.client.hvals(f"letopis:{jobs.service}.msgs")
        message = json.loads(stored)
        assert (message["args"], message["kwargs"]) == (["p-1", 7], {})

    def test_refuses_what_is_no_id_and_what_is_no_job(self, jobs, seen):
        name = f"{jobs.service}.parcel.send"
        jobs.add(name, seen.tell)
        with pytest.raises(JobError):
            jobs.send(name, {"name": "Anna"})
        with pytest.raises(JobError):
            jobs.send(f"{jobs.service}.parcel.lose", "p-1")
        assert jobs.counts().waiting == 0

    async def test_says_that_valkey_is_away(self, seen):
        jobs = Jobs(make_broker("redis://127.0.0.1:1"), "away")
        jobs.add("away.parcel.send", seen.tell)
        with pytest.raises(Unavailable):
            await jobs.enqueue("away.parcel.send", "p-1")
        with pytest.raises(Unavailable):
            await jobs.watch(Metrics("away"))


class TestAdd:
    def test_refuses_a_name_that_is_taken_or_another_service_s(self, jobs, seen):
        jobs.add(f"{jobs.service}.parcel.send", seen.tell)
        with pytest.raises(JobError):
            jobs.add(f"{jobs.service}.parcel.send", seen.tell)
        with pytest.raises(JobError):
            jobs.add("elsewhere.parcel.send", seen.tell)
        with pytest.raises(JobError):
            jobs.add(f"{jobs.service}.send", seen.tell)

    def test_registers_nothing_globally(self, jobs, seen):
        jobs.add(f"{jobs.service}.parcel.send", seen.tell)
        assert dramatiq.get_broker() is not jobs.broker

    def test_ends_a_run_at_its_limit(self, jobs, seen, working):
        async def endless(id):
            try:
                await asyncio.Event().wait()
            finally:
                await seen.tell(id)

        jobs.add(f"{jobs.service}.parcel.send", endless, limit=timedelta(seconds=0.2), repetitions=0)
        working(jobs.broker)
        jobs.send(f"{jobs.service}.parcel.send", "p-1")
        seen.wait_for(1)

    def test_ends_a_run_that_computes_at_its_limit(self, jobs, seen, working):
        async def endless(id):
            try:
                while True:
                    sum(range(1000))
            finally:
                await seen.tell(id)

        jobs.add(f"{jobs.service}.parcel.send", endless, limit=timedelta(seconds=0.1), repetitions=0)
        working(jobs.broker)
        jobs.send(f"{jobs.service}.parcel.send", "p-1")
        seen.wait_for(1)
