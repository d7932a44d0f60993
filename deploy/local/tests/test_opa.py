"""The loopback policy engine: OPA's answers, a signature first, and death rather than an endless thought."""

import signal
import sys

import httpx
import pytest

from letopis.common.policy.bundle import BundleRefused, build, new_key, public_half, verify_bundle
from letopis.common.policy.sources import Bundle, revision_of
from letopis.local.child import PartError, Program, end, spawn, wait_until
from letopis.local.opa import server
from letopis.local.ports import free_port

SLOW = """package letopis.slow
import rego.v1
n := numbers.range(1, 4000)
authorize if { some a in n; some b in n; some c in n; a + b + c == -1 }
"""
RULE = """package letopis.demo
import rego.v1
authorize := {"allow": input.person == "anna"}
broken := v if { v := [1, 2][_] }
"""


def bundle_with(modules):
    tables = {"actions": {}, "rules": {}}
    revision = revision_of(modules, tables)
    return Bundle(modules=modules, data={"bundle": tables | {"revision": revision}}, revision=revision)


def ask(url, path, document):
    response = httpx.post(f"{url}/v1/data/{path}", json=document, timeout=10)
    response.raise_for_status()
    return response.json()


@pytest.fixture(scope="module")
def demo(opa_serving):
    return opa_serving(bundle_with({"demo.rego": RULE}))


class TestAnswer:
    def test_is_the_result_for_the_input(self, demo):
        assert ask(demo, "letopis/demo/authorize", {"input": {"person": "anna"}}) == {"result": {"allow": True}}
        assert ask(demo, "letopis/demo/authorize", {"input": {"person": "oleg"}}) == {"result": {"allow": False}}

    def test_is_empty_for_what_is_undefined_or_no_path(self, demo):
        assert ask(demo, "letopis/demo/missing", {"input": {}}) == {}
        assert ask(demo, "letopis/demo/authorize", {}) == {}
        assert ask(demo, "letopis/demo[x]", {"input": {}}) == {}

    def test_is_an_error_when_evaluation_fails_or_the_body_is_broken(self, demo):
        assert httpx.post(f"{demo}/v1/data/letopis/demo/broken", json={"input": {}}).status_code == 500
        assert httpx.post(f"{demo}/v1/data/letopis/demo/authorize", content=b"{").status_code == 400

    def test_comes_for_the_policies_of_all_services(self, opa_server):
        assert ask(opa_server, "bundle/revision", {"input": {}})["result"]


@pytest.mark.skipif(server.executable() is not None, reason="OPA's own server is used here")
class TestDeadline:
    def test_ends_the_process(self, tmp_path):
        port = free_port()
        policy = server.sign(bundle_with({"slow.rego": SLOW}), new_key(), tmp_path)
        program = server.program(policy, tmp_path / "log", "127.0.0.1", port)
        process = spawn(program)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: server.answers(url), process, program, 30)
            with pytest.raises(httpx.RemoteProtocolError):
                ask(url, "letopis/slow/authorize", {"input": {}})
            assert process.wait(10) == -signal.SIGVTALRM
        finally:
            end(process, program.stop_signal)


class TestSignature:
    def test_of_another_key_is_refused(self, tmp_path):
        policy = server.sign(bundle_with({"demo.rego": RULE}), new_key(), tmp_path)
        policy.public_key.write_bytes(public_half(new_key()))
        with pytest.raises(BundleRefused):
            verify_bundle(policy.archive, policy.public_key.read_bytes())
        program = server.program(policy, tmp_path / "log", "127.0.0.1", free_port())
        if server.executable() is None:
            process = spawn(program)
            with pytest.raises(PartError, match="signature does not hold"):
                wait_until(lambda: False, process, program, 30)


class TestAnotherBundle:
    def test_takes_over_without_a_restart_if_our_key_signed_it(self, tmp_path):
        """What is laid in the archive's place answers a moment later; what another key signed changes nothing."""
        first, second, third = (bundle_with({"demo.rego": RULE, "n.rego": rule(n)}) for n in (1, 2, 3))
        key, port = new_key(), free_port()
        policy = server.sign(first, key, tmp_path)
        arguments = server.loopback(policy, "127.0.0.1", port)
        program = Program(argv=[sys.executable, "-m", "letopis.local.opa.loopback", *arguments], log=tmp_path / "log")
        url, process = f"http://127.0.0.1:{port}", spawn(program)
        try:
            wait_until(lambda: server.answers(url), process, program, 60)
            assert ask(url, "letopis/number/authorize", {}) == {"result": 1}
            aside = tmp_path / "forged"
            aside.write_bytes(build(third, new_key(), key_id="policy"))
            aside.rename(policy.archive)
            wait_until(lambda: "refused" in (tmp_path / "log").read_text(), process, program, 60)
            assert ask(url, "letopis/number/authorize", {}) == {"result": 1}
            server.sign(second, key, tmp_path)
            wait_until(lambda: ask(url, "letopis/number/authorize", {}) == {"result": 2}, process, program, 60)
        finally:
            end(process, program.stop_signal)


def rule(number):
    return f"package letopis.number\nimport rego.v1\nauthorize := {number}\n"
