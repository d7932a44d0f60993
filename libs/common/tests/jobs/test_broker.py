"""What is enqueued stays until it is done or dead: failures, refusals, a killed worker, a killed Valkey."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest

from letopis.common.errors import Conflict, Refused, Unavailable
from letopis.common.jobs import Jobs, make_broker
from letopis.common.jobs import broker as module
from letopis.common.observability import Metrics

from .conftest import quick

# A worker in a process of its own: its job says that it began, and does not end.
ENDLESS = """
import asyncio, sys
from pathlib import Path
from letopis.common.jobs import Jobs, make_broker, run

async def endless(id):
    Path(sys.argv[3], id).touch()
    await asyncio.Event().wait()

broker = make_broker(sys.argv[1])
Jobs(broker, sys.argv[2]).add(f"{sys.argv[2]}.parcel.send", endless)
run(broker, lambda: print("works", flush=True))
"""


@pytest.fixture
def name(jobs):
    return f"{jobs.service}.parcel.send"


def until(condition):
    """Waits for something that another thread or process does."""
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def failing(seen, *errors):
    """Raises one error a run, then succeeds."""
    left = list(errors)

    async def job(*ids):
        await seen.tell(*ids)
        if left:
            raise left.pop(0)

    return job


class TestRepetition:
    def test_repeats_what_failed(self, jobs, name, seen, working):
        jobs.add(name, failing(seen, ValueError("p-1 belongs to Anna")))
        working(jobs.broker)
        jobs.send(name, "p-1")
        seen.wait_for(2)
        assert seen.told == [("p-1",), ("p-1",)]

    def test_keeps_a_dead_letter_after_the_last_and_shows_it(self, jobs, name, seen, working):
        jobs.add(name, failing(seen, *[ValueError("p-1 belongs to Anna")] * 9), repetitions=1)
        working(jobs.broker)
        jobs.send(name, "p-1")
        until(lambda: jobs.counts().dead == 1)
        assert len(seen.told) == 2
        (letter,) = jobs.broker.client.hvals(f"letopis:{jobs.service}.XQ.msgs")
        assert b"p-1" in letter
        assert b"Anna" not in letter
        metrics = Metrics("test")
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(jobs.watch(metrics), 0.5))
        assert b'letopis_jobs{state="dead"} 1.0' in metrics.text()

    def test_repeats_no_refusal_but_a_conflict(self, jobs, name, seen, working):
        jobs.add(name, failing(seen, Conflict(), Refused()))
        working(jobs.broker)
        jobs.send(name, "p-1")
        until(lambda: jobs.counts().dead == 1)
        assert len(seen.told) == 2

    def test_uses_up_no_repetition_while_a_part_is_away(self, jobs, name, seen, working):
        jobs.add(name, failing(seen, Unavailable(), Unavailable()), repetitions=0)
        working(jobs.broker)
        jobs.send(name, "p-1")
        seen.wait_for(3)
        until(lambda: not jobs.counts().waiting)
        assert jobs.counts().dead == 0

    def test_comes_later_and_later(self, jobs, name, seen):
        jobs.add(name, seen.tell)
        pauses = []

        class Broker:
            get_actor = jobs.broker.get_actor

            def enqueue(self, message, *, delay):
                pauses.append(delay)

        for failed in (0, 3, 9, 500):
            message = jobs.broker.get_actor(name).message("p-1").copy(options={"failed": failed})
            module.Repetition().after_process_message(Broker(), message, exception=Unavailable())
        for pause, longest in zip(pauses, (500, 4_000, 256_000, 300_000), strict=True):
            assert longest / 2 <= pause <= longest


@pytest.fixture
def elsewhere(valkey_server, jobs, tmp_path):
    """A worker in another process, busy with two jobs while a third waits in its memory."""

    def start(code):
        argv = [sys.executable, "-c", code, valkey_server, jobs.service, str(tmp_path)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline() == b"works\n"
        for id in ("p-1", "p-2", "p-3"):
            jobs.send(f"{jobs.service}.parcel.send", id)
        until(lambda: len(list(tmp_path.iterdir())) == 2 and waiting_nowhere(jobs))
        return process

    processes = []
    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def waiting_nowhere(jobs):
    return not jobs.broker.client.llen(f"letopis:{jobs.service}")


class TestKilledWorker:
    def test_gives_its_jobs_to_another(self, elsewhere, jobs, name, seen, working):
        """kill -9 in the middle of two jobs, with one that waits in the worker's memory: all run elsewhere."""
        jobs.add(name, seen.tell)
        process = elsewhere(ENDLESS)
        process.kill()
        process.wait()
        working(jobs.broker)
        seen.wait_for(3)
        assert {id for (id,) in seen.told} == {"p-1", "p-2", "p-3"}
        until(lambda: not jobs.counts().waiting)

    def test_is_noticed_in_production_too(self, valkey_server):
        """dramatiq looks in one of a thousand commands for workers silent for a minute."""
        broker = make_broker(valkey_server)
        assert broker.heartbeat_timeout <= 15_000
        assert broker.maintenance_chance >= 100_000
        assert broker.client.connection_pool.connection_kwargs["socket_timeout"] == 30


class TestKilledValkey:
    """dramatiq alone loses each of these until the worker's process ends."""

    def test_a_repetition_that_waits_in_memory_comes(self, valkey, queue, seen, working):
        jobs = Jobs(quick(make_broker(valkey.url)), queue)
        jobs.add(f"{queue}.parcel.send", failing(seen, ValueError()))
        worker = working(jobs.broker)
        jobs.send(f"{queue}.parcel.send", "p-1")
        until(lambda: worker.consumers[f"{queue}.DQ"].delay_queue.qsize() == 1)
        valkey.kill()
        valkey.start()
        seen.wait_for(2)
        until(lambda: not jobs.counts().waiting + jobs.counts().delayed)

    def test_a_job_that_failed_while_it_was_away_comes_again(self, valkey, queue, seen, working, caplog):
        jobs = Jobs(quick(make_broker(valkey.url)), queue)

        async def kill(id):
            await seen.tell(id)
            if len(seen.told) == 1:
                valkey.kill()
                raise ValueError

        jobs.add(f"{queue}.parcel.send", kill)
        working(jobs.broker)
        jobs.send(f"{queue}.parcel.send", "p-1")
        until(lambda: any(one.msg == "a job failed and comes again" for one in caplog.records))
        valkey.start()
        seen.wait_for(2)


class TestEnd:
    def test_by_sigterm_lets_jobs_end_and_gives_back_what_had_not_begun(self, elsewhere, jobs, name, seen):
        jobs.add(name, seen.tell)
        process = elsewhere(ENDLESS.replace("await asyncio.Event().wait()", "await asyncio.sleep(1)"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(8) == 0
        assert jobs.counts().waiting == 1
        assert jobs.broker.client.llen(f"letopis:{jobs.service}") == 1
