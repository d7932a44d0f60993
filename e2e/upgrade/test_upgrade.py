"""Every kept release is taken over by today's code: restored, migrated, told anew, verified, and gone on with."""

import json
from contextlib import contextmanager
from uuid import uuid4

import pytest
from e2e.journey.world import World
from e2e.stacks import until
from e2e.upgrade.kept import kept, letopis, restored, sealed, size_of, unpack

from letopis.audit.checkpoint.lock import LockStore

pytestmark = pytest.mark.drill

CHECKPOINTS = {"registry": "registry", "decisions": "inference", "audit": "audit"}


@pytest.fixture(scope="module", params=kept())
def release(request, tmp_path_factory):
    """What was kept of one release, unpacked, and its heads."""
    room = tmp_path_factory.mktemp("release")
    return room, unpack(request.param, room)


@pytest.fixture(scope="module")
def installed(release):
    """The release's installation under today's code."""
    room, heads = release
    with restored(room) as stack:
        yield stack, heads


@contextmanager
def asked(stack):
    """Its people, who ask it over HTTP."""
    world = World.of(stack.data, 1, lambda who, what: None)
    try:
        yield world
    finally:
        world.http.close()


def incidents(world):
    return {one["ledger"]: one for one in world["irina"].get("audit", "/v1/incidents")}


def one_model_more(world):
    """A fact that the backup does not have; its position."""
    name = f"after-{uuid4()}"
    made = world["anna"].post("registry", "/v1/models", {"model_id": name, "name": "After", "owner": "boris"})
    return int(made["position"].rpartition("/")[2])


class TestUpgrade:
    def test_takes_everything_over_and_goes_on(self, installed):
        """Row: version N to N+1 on a live data directory; NATS, which no backup holds, is told again by the relays."""
        stack, heads = installed
        with asked(stack) as world:
            assert world["anna"].get("registry", "/v1/models")
            assert one_model_more(world) > heads["registry"]
            now = sealed(stack)
            assert {ledger: now[ledger] >= head for ledger, head in heads.items()} == dict.fromkeys(heads, True)
            assert incidents(world) == {}
        # What was sealed by the release leads to the heads that were locked then, hashed from today's database.
        exported = stack.data / "kept"
        letopis("checkpoint", "export", "--out", exported, "--log", audit_of(stack))
        for ledger, owner in CHECKPOINTS.items():
            url = stack.superuser_url(f"letopis_{owner}")
            assert "VERIFIED" in letopis("verify", "--checkpoint", exported / ledger, "--database", url)
        locks = LockStore(stack.data / "state" / "audit" / "lock" / "heads.sqlite")
        for ledger, head in heads.items():
            assert any(one.size >= head for one in locks.heads(ledger)) or head == 0

    def test_yesterdays_backup_is_named_and_continued_with_four_eyes(self, installed, release):
        """Row: restored over a newer lock store, every ledger that is behind stands still until two people said so."""
        stack, heads = installed
        room, _ = release
        ledger = "registry"
        with asked(stack) as world:
            written = one_model_more(world)
        until("it to be sealed", lambda: size_of(stack.data, ledger) >= written, 120)
        stack.down()
        newer = size_of(stack.data, ledger)
        assert newer > heads[ledger]
        ports = (stack.data / "ports.json").read_bytes()
        letopis("restore", room / "backup", "--replace", "--data-dir", stack.data)
        (stack.data / "ports.json").write_bytes(ports)
        stack.up("--no-mlflow", "--services", f"{ledger},audit")
        with asked(stack) as world:
            found = until("the restored ledger to be named", lambda: incidents(world).get(ledger), 120)
            assert (found["kind"], found["state"]) == ("restored", "open")
            # The owner may tell more than audit had copied, so what is named lies beyond the backup's copy at most.
            assert found["position"] <= newer
            assert size_of(stack.data, ledger) == newer
            reason = {"reason": "the drill: yesterday's backup is back"}
            world["olga"].post("audit", f"/v1/incidents/{ledger}/continuations", reason)
            world["pavel"].post("audit", f"/v1/incidents/{ledger}/approvals", {})
            # Its first head is of nothing: the copy is sealed anew from the first fact on.
            until("the successor to be sealed", lambda: succeeded(world, audit_of(stack), ledger) >= heads[ledger], 120)
            bound = world.http.get(f"{audit_of(stack)}/log/{ledger}/succession").text
            assert f"/{ledger}\n{newer}\n" in bound


def succeeded(world, audit, ledger):
    """How many facts the successor's published head covers; -1 before there is one, or while audit cannot answer."""
    answer = world.http.get(f"{audit}/log/{ledger}/checkpoint")
    origin, size, *_ = [*answer.text.split("\n"), ""]
    return int(size) if answer.status_code == 200 and "/since-" in origin else -1


def audit_of(stack):
    return json.loads((stack.data / "endpoints.json").read_text("utf-8"))["audit"]
