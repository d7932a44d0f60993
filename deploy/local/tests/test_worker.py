"""The stack's process for jobs: it is there if a service has jobs, runs them, and comes again when it is killed."""

import os
import signal

import pytest

from letopis.common.jobs import Jobs, make_broker
from letopis.features.dataset.jobs import VERIFY, declare
from letopis.features.settings import FeaturesSettings
from letopis.local import control
from letopis.local.valkey import server
from letopis.local.worker import employers

from .conftest import Stack, until


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    one = Stack(tmp_path_factory.mktemp("features") / "data")
    one.up("--services", "features")
    yield one
    one.kill()


@pytest.fixture
def jobs(features):
    password = (features.data / "secrets" / "valkey_password").read_text()
    made = Jobs(make_broker(server.url("127.0.0.1", features.base + 11, password)), "features")
    declare(made, FeaturesSettings())
    yield made
    made.close()


class TestEmployers:
    def test_are_the_services_that_declare_jobs(self):
        assert employers(["registry", "features", "no_such_service"]) == ("features",)


class TestJobs:
    def test_is_shown_and_runs_what_is_enqueued(self, features, jobs):
        assert "jobs" in features.letopis("status").stdout
        before = jobs.counts().dead
        jobs.send(VERIFY, "0" * 64)
        # Nobody built such a training set: the job was run and refused.
        until(lambda: jobs.counts().dead == before + 1)
        assert not jobs.counts().waiting

    def test_comes_again_when_it_is_killed(self, features, jobs):
        before, killed = jobs.counts().dead, features.part("jobs").pid
        os.kill(killed, signal.SIGKILL)
        jobs.send(VERIFY, "1" * 64)
        until(lambda: (part := features.part("jobs")).state == "ready" and part.pid != killed)
        until(lambda: jobs.counts().dead == before + 1)

    def test_ends_in_order(self, features):
        os.kill(features.part("jobs").pid, signal.SIGTERM)
        until(lambda: features.part("jobs").note == "ended with 0")


def test_is_not_there_without_a_service_that_has_jobs(running):
    assert "jobs" not in {part.name for part in control.read_status(running.data).parts}
