"""A built set is verified: once, whatever is repeated, whoever dies; what was damaged is named."""

import os
import subprocess
import sys
import time

import pytest

from letopis.common.errors import Unavailable
from letopis.common.jobs import Jobs, make_broker
from letopis.common.projecting import Told
from letopis.features.dataset.decider import DatasetUnknown
from letopis.features.dataset.jobs import VERIFY, declare, verify
from letopis.features.dataset.reactions import VerifyBuilt
from letopis.features.dataset.views import datasets

SPINE = "SELECT account_id, month + INTERVAL 1 MONTH AS as_of, label FROM panel WHERE month = DATE '2005-06-01'"


async def built(shop):
    await shop.done("/v1/datasets", "anna", {"name": "June", "bundle_id": "credit.1", "spine_sql": SPINE})
    ((record, fact),) = await shop.facts("features", "features.dataset.built")
    return Told(record=record, fact=fact)


async def verified(shop):
    return await shop.facts("features", "features.dataset.verified")


@pytest.fixture
def jobs(settings, valkey_server):
    """The queue as the service's own process sees it, empty before and after."""
    made = Jobs(make_broker(valkey_server), "features")
    declare(made, settings)
    made.broker.flush_all()
    yield made
    made.broker.flush_all()
    made.close()


@pytest.fixture(scope="class")
def worker(settings):
    """`python -m letopis.features jobs`, as in production; ends by SIGTERM, in order."""
    told = settings.model_dump(include={"database_url", "object_store_url", "valkey_url"})
    names = {"database_url": "LETOPIS_FEATURES_DATABASE_URL"}
    environment = {names.get(key, f"LETOPIS_{key.upper()}"): value for key, value in told.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "letopis.features", "jobs"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
    )
    yield process
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log.decode()[-3000:]


def done(jobs):
    deadline = time.monotonic() + 40
    while jobs.counts().waiting:
        assert time.monotonic() < deadline, "it was not done"
        time.sleep(0.05)


class TestVerify:
    async def test_records_that_the_files_are_intact_and_why(self, stocked):
        told, resources = await built(stocked), stocked.resources
        await verify(resources.desk, resources.objects, told.fact.dataset_id)
        ((record, fact),) = await verified(stocked)
        assert (fact.intact, fact.damaged, fact.verified_by) == (True, (), "service:features")
        meta = Told(record=record, fact=fact).meta
        assert meta.causation_id == str(told.record.event_id)
        assert meta.correlation_id == told.meta.correlation_id
        assert meta.purpose == "credit scoring"

    async def test_names_what_is_damaged_and_shows_it(self, stocked):
        told, resources = await built(stocked), stocked.resources
        (file,) = told.fact.files
        resources.objects.path(file.sha256).write_bytes(b"other")
        await verify(resources.desk, resources.objects, told.fact.dataset_id)
        await stocked.settle()
        (row,) = await datasets(resources.views, told.fact.dataset_id)
        assert (row["intact"], row["damaged"]) == (False, [file.sha256])

    async def test_is_done_once(self, stocked):
        told, resources = await built(stocked), stocked.resources
        for _ in range(3):
            await verify(resources.desk, resources.objects, told.fact.dataset_id)
        assert len(await verified(stocked)) == 1

    async def test_refuses_a_set_that_nobody_built(self, shop):
        with pytest.raises(DatasetUnknown):
            await verify(shop.resources.desk, shop.resources.objects, "0" * 64)


class TestJob:
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, tmp_path_factory, database, stock):
        """Of one service, which one worker serves."""
        return stock.copied(database, tmp_path_factory.mktemp("jobs"))

    async def test_follows_the_fact_and_its_repetition_leaves_one_fact(self, stocked, jobs, worker):
        told = await built(stocked)
        react = VerifyBuilt(jobs.enqueue)
        await react(told)
        await react(told)
        done(jobs)
        assert len(await verified(stocked)) == 1
        assert jobs.counts().dead == 0

    async def test_of_an_unknown_set_is_a_dead_letter(self, shop, jobs, worker):
        await jobs.enqueue(VERIFY, "0" * 64)
        done(jobs)
        assert jobs.counts().dead == 1


class TestAway:
    async def test_waits_for_valkey_with_its_fact(self, stocked, settings):
        away = Jobs(make_broker("redis://127.0.0.1:1"), "features")
        declare(away, settings)
        with pytest.raises(Unavailable):
            await VerifyBuilt(away.enqueue)(await built(stocked))
