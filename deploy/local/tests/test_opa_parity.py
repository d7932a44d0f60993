"""OPA's own server and the library give equal bytes; the server minds its bundle's signature, token and revision."""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from letopis.common.clock import SystemClock
from letopis.common.policy import Object, Policy, Question, Subject
from letopis.common.policy.bundle import new_key, public_half
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.questions import questions
from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.opa import loopback, server
from letopis.local.ports import free_port

pytestmark = [pytest.mark.opa, pytest.mark.timeout(600)]

HOST = "127.0.0.1"
EACH = 2000
ROOMS = collect()
BUNDLE = bundle_of(ROOMS)
SERVICES = sorted({room.service for room in ROOMS})
POLICIES = [room for room in ROOMS if room.rules]
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)


def official():
    found = server.executable()
    assert found, "no `opa` on PATH; `make opa-parity` builds it and puts it there"
    return found


def token_in(folder):
    path = folder / "token"
    path.write_text("s3cret", "ascii")
    path.chmod(0o600)
    return path


@pytest.fixture
def start(tmp_path):
    """Starts OPA's own server over a bundle; its URL and its process."""
    running = []

    def start(policy, token=None, *, awaited=True):
        port = free_port()
        program = server.official(official(), policy, tmp_path / "log", HOST, port, token)
        process = spawn(program)
        running.append((process, program))
        if awaited:
            wait_until(lambda: server.answers(f"http://{HOST}:{port}"), process, program, 60)
        return f"http://{HOST}:{port}", process

    yield start
    for process, program in running:
        end(process, program.stop_signal)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """Both engines over the policies of all services and their tests: the server's URL, the library's URL."""
    folder = tmp_path_factory.mktemp("opa")
    policy = server.sign(bundle_of(ROOMS, tests=True), new_key(), folder)
    ports = free_port(), free_port()
    programs = [
        server.official(official(), policy, folder / "official", HOST, ports[0]),
        Program(argv=loopback_argv(policy, ports[1]), log=folder / "library"),
    ]
    processes = [spawn(program) for program in programs]
    for port, process, program in zip(ports, processes, programs, strict=True):
        wait_until(lambda port=port: server.answers(f"http://{HOST}:{port}"), process, program, 60)
    yield [f"http://{HOST}:{port}" for port in ports]
    for process, program in zip(processes, programs, strict=True):
        end(process, program.stop_signal)


def loopback_argv(policy, port):
    return [sys.executable, "-m", loopback.__name__, *server.loopback(policy, HOST, port)]


def answers(url, path, documents):
    """The bodies that an engine answers with, as bytes, in the order of the documents."""
    limits = httpx.Limits(max_connections=4)
    with httpx.Client(limits=limits, timeout=60, trust_env=False) as client, ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda one: client.post(f"{url}/v1/data/{path}", json={"input": one}).content, documents))


def differing(engines, path, documents):
    found = zip(documents, *(answers(url, path, documents) for url in engines), strict=True)
    return [(document, ours, theirs) for document, theirs, ours in found if ours != theirs]


class TestEqualBytes:
    @pytest.mark.parametrize("room", POLICIES, ids=lambda room: room.package)
    def test_on_generated_questions_about_each_policy(self, engines, room):
        asked = list(questions(BUNDLE, list(room.actions), EACH, seed=7))
        assert differing(engines, f"letopis/{room.service}/authorize", asked) == []

    @pytest.mark.parametrize("service", SERVICES)
    def test_on_generated_questions_about_the_rooms_of_roles_alone(self, engines, service):
        actions = [action for room in ROOMS if room.service == service and not room.rules for action in room.actions]
        asked = list(questions(BUNDLE, actions, EACH, seed=8))
        assert differing(engines, f"letopis/{service}/authorize", asked) == []
        found = answers(engines[0], f"letopis/{service}/authorize", asked[:200])
        assert any(b'"allow":true' in one for one in found), "a comparison of denials alone would prove little"

    def test_on_the_golden_questions_of_every_room(self, engines):
        """The tests beside the rooms are the golden vectors: each is true on both, and whole documents are equal."""
        count = 0
        for room in ROOMS:
            names = dict.fromkeys(_TEST.findall(room.test))
            if not names:
                continue
            path = f"letopis/{room.service}/{room.name}_test"
            server_says, library_says = (answers(url, path, [{}])[0] for url in engines)
            assert server_says == library_says, room.package
            told = json.loads(server_says)["result"]
            assert {name: told.get(name) for name in names} == dict.fromkeys(names, True)
            count += len(names)
        assert count > 150

    def test_on_what_is_undefined_and_what_is_not_json(self, engines):
        for path in ("letopis/registry/missing", "letopis/nobody/authorize", "nothing"):
            assert differing(engines, path, [{}, {"action": "x"}]) == []
        statuses = {
            httpx.post(f"{url}/v1/data/letopis/registry/authorize", content=b"{").status_code for url in engines
        }
        assert statuses == {400}


class TestServer:
    def test_a_bundle_of_another_hand_is_not_loaded(self, start, tmp_path):
        policy = server.sign(BUNDLE, new_key(), tmp_path / "policy")
        policy.public_key.write_bytes(public_half(new_key()))
        url, process = start(policy, awaited=False)

        def refused():
            assert process.poll() is None
            return "verif" in (tmp_path / "log").read_text() if (tmp_path / "log").exists() else False

        wait_until(refused, process, Program(argv=["opa"], log=tmp_path / "log"), 60)
        assert not server.answers(url)
        assert httpx.post(f"{url}/v1/data/letopis/registry/authorize", json={"input": {}}).json() == {}

    def test_nobody_asks_without_the_token_and_nobody_asks_for_more(self, start, tmp_path):
        policy = server.sign(BUNDLE, new_key(), tmp_path / "policy")
        url, _ = start(policy, token_in(tmp_path))
        ask, bearer = f"{url}/v1/data/letopis/registry/authorize", {"Authorization": "Bearer s3cret"}
        assert httpx.post(ask, json={"input": {}}).status_code == 401
        assert httpx.post(ask, json={"input": {}}, headers={"Authorization": "Bearer other"}).status_code == 401
        assert httpx.post(ask, json={"input": {}}, headers=bearer).status_code == 200
        for method, path in (
            ("GET", "/v1/data"),
            ("GET", "/v1/policies"),
            ("PUT", "/v1/data/bundle"),
            ("GET", "/v1/config"),
        ):
            assert httpx.request(method, url + path, headers=bearer, json={}).status_code == 401, path

    async def test_a_service_that_holds_the_token_is_answered(self, start, tmp_path):
        url, _ = start(server.sign(BUNDLE, new_key(), tmp_path / "policy"), token_in(tmp_path))
        asker = Policy(url, "registry", SystemClock(), revision=BUNDLE.revision, token="s3cret")
        verdict = await asker.ask(LIST)
        await asker.close()
        assert verdict.allow

    async def test_an_older_revision_is_refused_until_the_pinned_one_is_served(self, start, tmp_path):
        newer = bundle_of([replace(room, settings=room.settings | {"note": "newer"}) for room in ROOMS])
        key = new_key()
        told = {}
        for name, bundle in (("older", BUNDLE), ("newer", newer)):
            url, _ = start(server.sign(bundle, key, tmp_path / name))
            pinned = Policy(url, "registry", SystemClock(), revision=newer.revision)
            told[name] = await pinned.ask(LIST)
            await pinned.close()
        assert [one.rule for one in told["older"].reasons] == ["policy.revision"]
        assert told["newer"].allow


LIST = Question(
    action="registry.model.list",
    subject=Subject(person="anna", login="anna", roles=frozenset({"data_scientist"})),
    purpose="",
    object=Object(type="model", id="*"),
    time=SystemClock().now(),
)
