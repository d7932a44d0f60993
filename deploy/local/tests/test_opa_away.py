"""The real engine stopped, killed, replaced by an older one, and back: denied with a reason, then as before."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import contextmanager

import pytest

from letopis.common.clock import SystemClock
from letopis.common.policy import Object, Policy, Question, Subject
from letopis.common.policy.bundle import new_key
from letopis.common.policy.sources import PolicyError, bundle_of, collect
from letopis.local.child import PartError, end, spawn, wait_until
from letopis.local.opa import loopback, server
from letopis.local.ports import free_port

HOST = "127.0.0.1"
BUNDLE = bundle_of(collect())
OLDER = bundle_of([room for room in collect() if room.service == "registry"])
LIST = Question(
    action="registry.model.list",
    subject=Subject(person="anna", login="anna", roles=frozenset({"data_scientist"})),
    purpose="",
    object=Object(type="model", id="*"),
    time=SystemClock().now(),
)


@contextmanager
def serving(bundle, folder, port):
    program = server.program(server.sign(bundle, new_key(), folder), folder / "log", HOST, port)
    process = spawn(program)
    try:
        wait_until(lambda: server.answers(f"http://{HOST}:{port}"), process, program, 60)
        yield process
    finally:
        end(process, program.stop_signal)


async def allowed(policy):
    """Waits until the question is allowed: a service resumes by itself."""
    async with asyncio.timeout(60):
        while not (verdict := await policy.ask(LIST)).allow:
            assert not verdict.answered
    return True


async def test_denied_with_a_reason_while_it_is_away_and_answered_when_it_is_back(tmp_path, caplog):
    port, counted = free_port(), Counter()
    policy = Policy(f"http://{HOST}:{port}", "registry", SystemClock(), revision=BUNDLE.revision)
    policy.count_by(lambda rule: counted.update([rule]))

    async def denied_by():
        verdict = await policy.ask(LIST)
        assert not verdict.allow
        assert not verdict.answered
        assert verdict.reasons[0].message
        assert verdict.reasons[0].remedy
        return verdict.reasons[0].rule

    with serving(BUNDLE, tmp_path / "newer", port) as process:
        assert await allowed(policy)
        os.kill(process.pid, signal.SIGSTOP)
        assert await denied_by() == "policy.late"
        os.kill(process.pid, signal.SIGCONT)
        assert await allowed(policy)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
        assert await denied_by() == "policy.away"
    with serving(OLDER, tmp_path / "older", port):
        assert await denied_by() == "policy.revision"
    with serving(BUNDLE, tmp_path / "newest", port):
        assert await allowed(policy)
    await policy.close()
    assert {"policy.late", "policy.away", "policy.revision"} <= set(counted)
    told = [record.message for record in caplog.records if record.name == "letopis.policy"]
    assert told[0] == "policy gives no answer, every question is denied"
    assert told[-1] == "policy answers again"


class TestBank:
    def test_a_bank_runs_on_opas_own_server_or_not_at_all(self, tmp_path, monkeypatch):
        for version in ("", "0.70.0", "1.21.2"):
            (tmp_path / "opa").write_text(f"#!/bin/sh\necho Version: {version}\n")
            (tmp_path / "opa").chmod(0o700)
            assert server.executable(str(tmp_path)) is None
        monkeypatch.setattr(server.shutil, "which", lambda name, path=None: str(tmp_path / name))
        with pytest.raises(PartError, match="OPA's own server"):
            server.chosen("bank")
        assert server.chosen("demo") is None
        (tmp_path / "opa").write_text("#!/bin/sh\necho Version: 1.21.3\n")
        assert server.chosen("bank") == str(tmp_path / "opa")

    def test_the_library_does_not_start_in_a_bank(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LETOPIS_PROFILE", "bank")
        policy = server.sign(OLDER, new_key(), tmp_path)
        with pytest.raises(PolicyError, match="profile bank"):
            loopback.main(server.loopback(policy, HOST, 1))
