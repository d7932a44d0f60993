"""A bank's own systems follow a ledger with their NATS client alone, also when the bus has lost or dropped its news.

The Python one is a drill; the Go one needs Go and its modules and runs in `make foreign`, so that nothing is skipped in
silence.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from e2e.journey import people
from e2e.journey.world import World
from e2e.stacks import LETOPIS, running, until

from letopis.common.envelope import record_from_json
from letopis.common.leaf import leaf_hash

HERE = Path(__file__).parent / "consumers"
NAME, STREAM, DURABLE = "warehouse", "LEDGER_registry", "warehouse_registry"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """A registry with a little history, and the outside system `warehouse`, known to it and to NATS."""
    with running(tmp_path_factory.mktemp("bank") / "data", "--services", "registry", "--no-mlflow") as stack:
        world = World.of(stack.data, 0, lambda who, what: None)
        people.enrol(world)
        command = [LETOPIS, "subscriber", NAME, "--ledger", "registry", "--data-dir", str(stack.data)]
        told = subprocess.run(command, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert DURABLE in told.stdout
        people.register(world, NAME, "The bank's warehouse", "service", ["subscriber"])
        world["olga"].post("registry", f"/v1/principals/{NAME}/groups", {"group": "ledger:registry"})
        until("the durable of the warehouse", lambda: durable(stack))
        yield Bank(stack, world)
        world.http.close()


class Bank:
    def __init__(self, stack, world):
        self.stack, self.world = stack, world

    def records(self):
        answer = self.world["irina"].send("GET", "registry", "/v1/ledgers/registry/facts?limit=10000")
        return [record_from_json(json.loads(line)) for line in answer.text.splitlines()]

    def happens(self, times=1):
        """Facts like any other; the position of the last."""
        for _ in range(times):
            made = self.world["olga"].post("registry", "/v1/principals/oleg/groups", {"group": uuid4().hex})
        return int(made["position"].partition("/")[2])


async def as_administrator(stack, ask):
    seed = (stack.data / "secrets" / "admin.nats_seed").read_text("ascii").strip()
    url = stack.part("nats")["address"]
    client = await nats.connect(url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_admin", allow_reconnect=False)
    try:
        return await ask(client.jetstream())
    finally:
        await client.close()


def durable(stack):
    try:
        return asyncio.run(as_administrator(stack, lambda js: js.consumer_info(STREAM, DURABLE)))
    except (nats.errors.Error, OSError):
        return None


async def keep_few(js):
    """The administrator lets the stream keep three messages, as if the others had grown too old for it."""
    config = (await js.stream_info(STREAM)).config
    config.max_msgs = 3
    await js.update_stream(config)


class Consumer:
    """A running program; `heard` is what it has told so far."""

    def __init__(self, process, file):
        self.process, self.file = process, file

    @property
    def heard(self):
        lines = self.file.read_text("utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def reaches(self, position):
        def there():
            assert self.process.poll() is None, self.process.stderr.read()
            return any(one["position"] >= position for one in self.heard)

        until(f"position {position}", there, 90)
        return self.heard


@contextmanager
def consumer(bank, command, folder, run):
    """The program with the settings that a bank would give it."""
    secrets = bank.stack.data / "secrets"
    environment = {
        "PATH": os.environ["PATH"],
        "NAME": NAME,
        "LEDGER": "registry",
        "SILENCE": "2",
        "CHECKPOINT_FILE": str(folder / "checkpoint"),
        "NATS_URL": bank.stack.part("nats")["address"],
        "NKEY_SEED_FILE": str(secrets / f"{NAME}.nats_seed"),
        "CLIENT_SECRET_FILE": str(secrets / f"{NAME}.client_secret"),
        "TOKEN_URL": f"{bank.world.urls['issuer']}/token",
        "DOOR_URL": bank.world.urls["registry"],
    }
    file = folder / f"heard-{run}"
    with file.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)
    try:
        yield Consumer(process, file)
    finally:
        process.kill()
        process.communicate()


def check_all(bank, command, folder):
    """What every consumer MUST do, in whatever language."""
    head = bank.happens()
    with consumer(bank, command, folder, 1) as first:
        heard = first.reaches(head)
        assert [one["position"] for one in heard] == list(range(1, head + 1))
        assert {"bus"} <= {one["source"] for one in heard}
        bank.stack.lose_streams()
        head = bank.happens(2)
        heard = first.reaches(head)
        assert [one["position"] for one in heard] == list(range(1, head + 1))
    until("the durable after the loss", lambda: durable(bank.stack))
    before = heard[-1]["position"]
    bank.happens(2)
    bank.stack.lose_streams()
    until("the durable after the loss", lambda: durable(bank.stack))
    head = bank.happens(2)
    with consumer(bank, command, folder, 2) as second:
        heard += second.reaches(head)
    # What was told and not yet written down as dealt with comes again; nothing is left out.
    assert second.heard[0]["position"] in {before, before + 1}
    assert sorted({one["position"] for one in heard}) == list(range(1, head + 1))
    told = {record.position: leaf_hash(record).hex() for record in bank.records()}
    assert {one["position"]: one["leaf"] for one in heard}.items() <= told.items()


def check_older_than_the_stream(bank, command, folder):
    head = bank.happens(4)
    until("all news", lambda: published(bank.stack, head))
    asyncio.run(as_administrator(bank.stack, keep_few))
    assert asyncio.run(as_administrator(bank.stack, lambda js: js.stream_info(STREAM))).state.first_seq > 1
    with consumer(bank, command, folder, 1) as newcomer:
        newcomer.reaches(head)
        heard = newcomer.reaches(bank.happens())
    assert [one["position"] for one in heard] == list(range(1, len(heard) + 1))
    assert heard[0]["source"] == "door"


def published(stack, head):
    async def last(js):
        sequence = (await js.stream_info(STREAM)).state.last_seq
        return (await js.get_msg(STREAM, sequence)).headers["Nats-Msg-Id"] if sequence else ""

    return asyncio.run(as_administrator(stack, last)) == f"registry:{head}"


@pytest.mark.drill
class TestPython:
    COMMAND = (sys.executable, str(HERE / "subscriber.py"))

    def test_follows_through_lost_streams(self, bank, tmp_path):
        check_all(bank, self.COMMAND, tmp_path)

    def test_begins_before_the_oldest_news(self, bank, tmp_path):
        check_older_than_the_stream(bank, self.COMMAND, tmp_path)

    def test_hears_nothing_it_was_not_let_into(self, bank):
        refused = bank.world[NAME].refused("GET", "registry", "/v1/ledgers/access/facts")
        assert refused.rules == ["ledger.not_subscribed"]
        refused = bank.world[NAME].refused("GET", "registry", "/v1/principals")
        assert refused.rules == ["role.not_granted"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The Go program, built here; a machine without Go or its modules fails, it does not pass over this."""
    assert shutil.which("go"), "the Go consumer needs `go` on PATH, and its modules from a proxy or cache"
    program = tmp_path_factory.mktemp("go") / "subscriber"
    made = subprocess.run(["go", "build", "-o", str(program), "."], cwd=HERE / "go", capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return (str(program),)


@pytest.mark.foreign
@pytest.mark.timeout(600)
class TestGo:
    def test_follows_through_lost_streams(self, bank, built, tmp_path):
        check_all(bank, built, tmp_path)

    def test_begins_before_the_oldest_news(self, bank, built, tmp_path):
        check_older_than_the_stream(bank, built, tmp_path)
