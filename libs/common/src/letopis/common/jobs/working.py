"""A process that runs jobs: dramatiq's worker in threads of it, ended in order."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import dramatiq

from letopis.common.errors import LetopisError
from letopis.common.jobs.broker import Broker

# Milliseconds that running jobs get when the process ends; supervisors give it 8 s in all.
GRACE = 4000
# Milliseconds that a job waits at most before an idle worker sees it.
IDLE = 1000


class WorkerLost(LetopisError):
    """A thread that runs jobs has ended by an error; a fresh process has all of them."""

    code = "jobs.worker_lost"
    title = "A thread that runs jobs has died"


def run(broker: Broker, started: Callable[[], None] = lambda: None) -> None:
    """Run all jobs of this broker until SIGTERM or SIGINT; `started` is called when the threads stand."""
    with suppress(asyncio.CancelledError):
        asyncio.run(_until_told(broker, started))


async def _until_told(broker: Broker, started: Callable[[], None]) -> None:
    working = asyncio.create_task(work(broker, started))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    await working


async def work(broker: Broker, started: Callable[[], None] = lambda: None, *, threads: int = 2) -> None:
    """Run all jobs of this broker until cancelled; WorkerLost if a thread dies.

    Running jobs get GRACE to end. What is not done then comes again elsewhere, as after a death of the process.
    """
    # Without this, time limits never fire in a worker that was not started by dramatiq's own command.
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=IDLE)
    worker.start()
    try:
        started()
        while all(one.is_alive() for one in (*worker.workers, *worker.consumers.values())):  # noqa: ASYNC110 threads tell nobody
            await asyncio.sleep(IDLE / 1000)
        raise WorkerLost
    finally:
        await asyncio.to_thread(worker.stop, GRACE)
