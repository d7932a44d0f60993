"""A real service in the stack: forked, settled by its environment, alone, and again on the same data."""

import os
import signal

import httpx
import pytest

from letopis.local import control

from .conftest import Stack, until


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A stack with the registry alone, started a second time over its data."""
    one = Stack(tmp_path_factory.mktemp("registry") / "data")
    one.up("--services", "registry")
    one.down()
    one.up("--services", "registry")
    yield one
    one.kill()


class TestService:
    def test_comes_up_without_the_others_and_again_on_its_data(self, registry):
        told = control.read_status(registry.data)
        assert told.ready
        assert {part.name for part in told.parts if part.state == "done"} == {"migrations"}
        ready = httpx.get(f"{registry.part('registry').address}/readyz").json()
        assert ready["ready"]

    def test_is_forked_again_when_it_dies(self, registry):
        before = registry.part("registry").pid
        os.kill(before, signal.SIGKILL)
        until(lambda: (part := registry.part("registry")).state == "ready" and part.pid != before)

    def test_is_seen_not_to_serve_while_policy_hangs(self, registry):
        engine = registry.part("opa").pid
        os.kill(engine, signal.SIGSTOP)
        try:
            told = until(lambda: "not ready" in (told := registry.letopis("status")).stdout and told)
        finally:
            os.kill(engine, signal.SIGCONT)
        assert told.returncode == 1


class TestRun:
    def test_runs_a_command_of_the_service_with_its_settings(self, registry):
        assert registry.letopis("run", "registry", "migrate").returncode == 0
        rebuilt = registry.letopis("run", "registry", "rebuild", "use_cases")
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert "rebuilt" in rebuilt.stdout

    def test_names_the_services_there_are(self, registry):
        refused = registry.letopis("run", "lottery", "migrate")
        assert refused.returncode == 1
        assert "registry" in refused.stderr
