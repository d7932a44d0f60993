"""Jobs on a real Valkey: the session's, and one of its own for tests that kill it."""

import threading

import pytest
from dramatiq import Worker
from dramatiq.brokers.redis import MAINTENANCE_SCALE

from letopis.common.jobs import Jobs, make_broker
from letopis.local.child import end, spawn, wait_until
from letopis.local.ports import free_port
from letopis.local.valkey import server


class Seen:
    """What jobs, which run in threads, have told."""

    def __init__(self):
        self.told = []
        self.changed = threading.Condition()

    async def tell(self, *ids):
        with self.changed:
            self.told.append(ids)
            self.changed.notify_all()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.told) >= count, 40), self.told


def quick(broker):
    """With the patience of a test: a dead worker is noticed after a second, at the next command."""
    broker.heartbeat_timeout, broker.maintenance_chance = 1000, MAINTENANCE_SCALE
    return broker


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def queue(request):
    """A queue of its own for each test."""
    return "".join(letter for letter in request.node.name.removeprefix("test_") if letter.isalpha())[:30]


@pytest.fixture
def jobs(valkey_server, queue):
    made = Jobs(quick(make_broker(valkey_server)), queue)
    yield made
    made.close()


@pytest.fixture
def working():
    """Starts workers in this process; they end before their brokers are closed."""
    workers = []

    def start(broker):
        broker.emit_after("process_boot")
        workers.append(Worker(broker, worker_threads=2, worker_timeout=200))
        workers[-1].start()
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop(timeout=5000)


class Valkey:
    """A server that a test kills and starts again over the same file."""

    def __init__(self, folder):
        port = free_port()
        self.program = server.program(folder, folder / "log", "127.0.0.1", port, "secret")
        self.url = server.url("127.0.0.1", port, "secret")
        self.start()

    def start(self):
        self.process = spawn(self.program)
        wait_until(lambda: server.answers(self.url), self.process, self.program, 30)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def valkey(tmp_path):
    one = Valkey(tmp_path / "valkey")
    yield one
    end(one.process, one.program.stop_signal)
