"""The guard: strangers, oversize, and JSON that is not what it seems."""

import asyncio
import json
import logging
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter
from parcel import Shop, open_shop

from letopis.common.http import Call, governed
from letopis.common.http.routing import RouteWithoutAction
from letopis.common.http.strict import DEPTH, BodyInvalid, check
from letopis.common.observability import JsonLines
from letopis.common.testing.routes import assert_guarded

BORIS = {"Authorization": "Bearer boris", "Letopis-Purpose": "deliveries", "Content-Type": "application/json"}
PUBLIC = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /v1/parcels/tariff/all"}


async def post(shop: Shop, body: bytes, **headers: str) -> httpx.Response:
    return await shop.client.post("/v1/parcels/p-1/dispatch", content=body, headers=BORIS | headers)


class TestStrangers:
    async def test_meet_401_on_every_route(self, shop: Shop) -> None:
        """Checklist: a test walks all routes without a token and expects 401."""
        await assert_guarded(shop.app, public=PUBLIC)

    async def test_the_walk_can_fail(self, shop: Shop) -> None:
        with pytest.raises(AssertionError, match="public routes"):
            await assert_guarded(shop.app, public=PUBLIC - {"GET /metrics"})

    async def test_a_token_nobody_knows_is_only_counted(self, shop: Shop) -> None:
        answer = await shop.send(by="mallory")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "remedy" in answer.json()
        assert shop.store.ledgers == {}
        assert b"letopis_http_unauthenticated_total 1.0" in shop.app.state.metrics.text()

    async def test_their_bodies_are_not_read(self, shop: Shop) -> None:
        async def endless() -> object:
            raise AssertionError("the body was read")
            yield b""

        answer = await shop.client.post("/v1/parcels/p-1/dispatch", content=endless())
        assert answer.status_code == 401

    async def test_public_answers_need_no_token(self, shop: Shop) -> None:
        assert (await shop.client.get("/v1/parcels/tariff/all")).json() == {"kilogram": 1}


class TestStart:
    @pytest.mark.parametrize("action", [None, "other.parcel.send"])
    async def test_a_route_without_an_action_of_the_service_does_not_start(
        self, opa_url: str, action: str | None
    ) -> None:
        router = APIRouter()
        if action:

            @router.get("/open")
            async def theirs(call: Annotated[Call, governed(action)]) -> None: ...

        else:

            @router.get("/open")
            async def nobodys() -> None: ...

        with pytest.raises(RouteWithoutAction, match="GET /open"):
            async with open_shop(opa_url, routers=[router]):
                pass

    async def test_a_mount_does_not_start(self, opa_url: str) -> None:
        router = APIRouter()
        router.add_websocket_route("/socket", lambda _: None)
        with pytest.raises(RouteWithoutAction):
            async with open_shop(opa_url, routers=[router]):
                pass


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"weight": 1, "packer": "a", "weight": 2}',
            b'{"weight": NaN, "packer": "a"}',
            b'{"weight": Infinity, "packer": "a"}',
            b'{"weight": 1e999, "packer": "a"}',
            b'{"weight": 1, "packer": "a\\u0000"}',
            b'{"weight": 1, "packer": "a\\ud800"}',
            b'{"weight": 1, "pack\\udc00er": "a"}',
            b'{"weight": 1, "packer": "a\xff"}',
            b'{"weight": 1, "packer": "a"',
            b"\xef\xbb\xbf{}",
            b'{"weight": ' + b"9" * 5000 + b', "packer": "a"}',
            b"[" * 33 + b"]" * 33,
            b"[" * 100_000,
            b'{"a":' * 33 + b"1" + b"}" * 33,
        ],
        ids=range(14),
    )
    async def test_what_is_not_plain_json_is_refused(self, shop: Shop, body: bytes) -> None:
        answer = await post(shop, body)
        assert answer.status_code == 422
        assert answer.json()["code"] == "body.invalid"
        assert shop.store.ledgers == {}

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * DEPTH + b"]" * DEPTH,
            b'"' + b"[" * 100 + b'"',
            b'"' + b'[\\"' * 100 + b'"',
            b'["\\ud83d\\ude00", "\xd0\xbb\xd0\xb5\xd1\x82\xd0\xbe\xd0\xbf\xd0\xb8\xd1\x81\xd1\x8c", -0.0, 1e308]',
        ],
        ids=range(4),
    )
    def test_what_only_looks_strange_passes(self, body: bytes) -> None:
        check(body)

    def test_an_unfinished_string_of_brackets_costs_one_pass(self) -> None:
        with pytest.raises(BodyInvalid):
            check(b'["' + b"\\[" * 1_000_000)

    async def test_more_than_eight_megabytes_is_refused_by_its_header_and_by_its_size(self, shop: Shop) -> None:
        big = json.dumps("x" * (8 * 1024 * 1024)).encode()

        async def in_pieces() -> object:
            for at in range(0, len(big), 1 << 20):
                yield big[at : at + (1 << 20)]

        for content in (big, in_pieces()):
            answer = await shop.client.post("/v1/parcels/p-1/dispatch", content=content, headers=BORIS)
            assert answer.status_code == 413
            assert answer.json()["code"] == "body.too_large"

    async def test_a_route_may_have_its_own_limit_and_take_a_stream(self, shop: Shop) -> None:
        for size, status in ((100, 200), (101, 413)):
            answer = await shop.client.put("/v1/parcels/p-1/picture", content=b"x" * size, headers=BORIS)
            assert answer.status_code == status, answer.text

    @pytest.mark.parametrize("path", ["/v1/parcels/p%00", "/v1/parcels/p?x=%00"])
    async def test_nul_in_the_address_is_refused(self, shop: Shop, path: str) -> None:
        answer = await shop.client.get(path, headers=BORIS)
        assert answer.status_code == 422
        assert answer.json()["code"] == "address.invalid"


class TestFaults:
    async def test_the_deadline_ends_an_answer(self, shop: Shop) -> None:
        shop.app.state.never = asyncio.Event()
        answer = await shop.get("/v1/parcels/p-1/slow")
        assert answer.status_code == 503
        assert answer.json()["code"] == "deadline"

    async def test_a_crash_tells_neither_caller_nor_log_what_it_held(
        self, shop: Shop, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Checklist: canary card numbers are found in no sink."""
        with caplog.at_level(logging.INFO):
            answer = await shop.get("/v1/parcels/p-1/crash")
        assert answer.status_code == 500
        assert answer.json()["code"] == "internal"
        lines = [JsonLines("demo").format(record) for record in caplog.records]
        assert any('"error": "ZeroDivisionError"' in line and "parcel.py" in line for line in lines)
        for sink in (answer.text, *lines, shop.app.state.metrics.text().decode()):
            assert "4111111111111111" not in sink

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("GET", "/nowhere", 404), ("POST", "/nowhere", 404), ("DELETE", "/v1/parcels/p-1", 405)],
    )
    async def test_an_unknown_address_is_a_problem_too(self, shop: Shop, method: str, path: str, status: int) -> None:
        answer = await shop.client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_readiness_names_what_is_needed(self, shop: Shop) -> None:
        answer = await shop.client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"ready": True, "needs": {"database": True, "policy": True}, "parts": {}}
        async with open_shop("http://127.0.0.1:9") as lonely:
            answer = await lonely.client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["needs"] == {"database": True, "policy": False}
            assert (await lonely.client.get("/healthz")).status_code == 200

    async def test_metrics_count_by_route_not_by_address(self, shop: Shop) -> None:
        await shop.send("p-77")
        text = (await shop.client.get("/metrics")).text
        assert (
            'letopis_http_requests_total{method="POST",route="/v1/parcels/{parcel_id}/dispatch",status="201"} 1.0'
            in text
        )
        assert "p-77" not in text
