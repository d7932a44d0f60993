"""Calls: what is repeated, what is remembered, what a problem tells. The network's faults are made here."""

import json
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from letopis.sdk import client as clients
from letopis.sdk import problems
from letopis.sdk.client import Service
from letopis.sdk.places import find_places

SELF_APPROVAL = {
    "type": "urn:letopis:problem:forbidden",
    "code": "forbidden",
    "title": "Policy does not allow this",
    "status": 403,
    "detail": "an author or requester does not approve their own version",
    "remedy": "ask another model owner or validator",
    "correlation_id": "c-1",
    "reasons": [
        {
            "rule": "four_eyes.self_approval",
            "owner": "Model risk",
            "message": "an author or requester does not approve their own version",
            "remedy": "ask another model owner or validator",
        }
    ],
}


@pytest.fixture
def waits(monkeypatch):
    """Pauses are noted, not slept."""
    noted: list[float] = []
    # The client's own clock only: threads of other fixtures sleep too.
    monkeypatch.setattr(clients, "time", SimpleNamespace(sleep=noted.append))
    return noted


def service(*answers):
    """A service whose network gives these answers in turn, and what it was asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def answer(request):
        asked.append(request)
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Service("registry", "http://registry", http, {}, {"Letopis-Purpose": "testing"}), asked


class TestRepeat:
    def test_a_command_without_an_answer_is_sent_again_under_one_key(self, waits):
        door, asked = service(
            httpx.ReadTimeout("late"),
            httpx.Response(503, headers={"Retry-After": "2"}),
            httpx.Response(201, json={"id": "x"}),
        )
        assert door.post("/v1/things", {"a": 1}) == {"id": "x"}
        assert len(asked) == 3
        assert len({request.headers["Idempotency-Key"] for request in asked}) == 1
        assert waits == [2.0]

    def test_two_commands_have_two_keys_unless_told(self, waits):
        door, asked = service(*[httpx.Response(201, json={}) for _ in range(3)])
        door.post("/v1/things")
        door.post("/v1/things")
        door.post("/v1/things", key="mine")
        keys = [request.headers["Idempotency-Key"] for request in asked]
        assert len(set(keys)) == 3
        assert keys[2] == "mine"

    def test_a_refusal_is_not_repeated(self, waits):
        door, asked = service(httpx.Response(409, json={"status": 409, "code": "model.exists", "title": "taken"}))
        with pytest.raises(problems.Refused, match="taken"):
            door.post("/v1/models", {})
        assert len(asked) == 1

    def test_it_gives_up(self, waits):
        door, asked = service(*[httpx.Response(503, json={"status": 503, "title": "away"}) for _ in range(4)])
        with pytest.raises(problems.Unavailable):
            door.get("/v1/things")
        assert len(asked) == 4

    def test_where_nobody_listens_it_says_where(self, waits):
        door, asked = service(httpx.ConnectError("refused"))
        with pytest.raises(problems.Unavailable, match="nothing answers at http://registry"):
            door.get("/v1/things")
        assert len(asked) == 1


class TestRemember:
    def test_calls_wait_for_what_was_written(self, waits):
        door, asked = service(
            httpx.Response(201, json={}, headers={"Letopis-Position": "registry/7"}),
            httpx.Response(201, json={}, headers={"Letopis-Position": "registry/5"}),
            httpx.Response(200, json={}),
        )
        door.post("/v1/a")
        door.post("/v1/b")
        door.get("/v1/a", state="open")
        assert asked[2].headers["Min-Position"] == "registry/7"
        assert asked[1].headers["Min-Position"] == "registry/7"
        assert "Min-Position" not in asked[0].headers
        assert asked[2].headers["Letopis-Purpose"] == "testing"
        assert asked[2].url.params["state"] == "open"


class TestProblem:
    def test_tells_rule_owner_and_remedy(self, waits):
        door, _ = service(httpx.Response(403, json=SELF_APPROVAL))
        with pytest.raises(problems.Forbidden) as caught:
            door.post("/v1/promotions/p/approvals", {})
        assert str(caught.value) == (
            "Policy does not allow this (403 forbidden)\n"
            "  an author or requester does not approve their own version\n"
            "  rule four_eyes.self_approval, owned by Model risk\n"
            "  what to do: ask another model owner or validator"
        )
        assert caught.value.reasons[0].rule == "four_eyes.self_approval"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, problems.Unauthenticated),
            (404, problems.NotFound),
            (409, problems.Refused),
            (422, problems.Invalid),
            (500, problems.Problem),
        ],
    )
    def test_also_where_something_else_answers(self, waits, status, kind):
        door, _ = service(httpx.Response(status, text="<html>"))
        with pytest.raises(kind, match=str(status)):
            door.get("/v1/things")


class TestPlaces:
    def test_the_environment_speaks_first_then_the_stack_then_the_defaults(self, config, tmp_path, monkeypatch):
        assert find_places().of("registry") == "http://127.0.0.1:8401"
        assert find_places().of("issuer") == "http://127.0.0.1:8406"
        data = tmp_path / "data"
        data.mkdir()
        told = {"registry": "http://127.0.0.1:9001/", "issuer": "http://127.0.0.1:9006", "profile": "demo"}
        (data / "endpoints.json").write_text(json.dumps(told))
        (config / "stack.json").write_text(json.dumps({"data_dir": str(data)}))
        assert find_places().of("registry") == "http://127.0.0.1:9001"
        assert find_places().of("issuer") == "http://127.0.0.1:9006"
        assert find_places().of("audit") == "http://127.0.0.1:8405"
        monkeypatch.setenv("LETOPIS_REGISTRY_URL", "https://registry.bank.example")
        assert find_places().of("registry") == "https://registry.bank.example"

    def test_a_named_data_directory_is_the_only_one(self, config, tmp_path, monkeypatch):
        here = Path(".letopis")
        here.mkdir()
        (here / "endpoints.json").write_text('{"registry": "http://127.0.0.1:9001"}')
        assert find_places().of("registry") == "http://127.0.0.1:9001"
        monkeypatch.setenv("LETOPIS_DATA_DIR", str(tmp_path / "other"))
        assert find_places().of("registry") == "http://127.0.0.1:8401"
