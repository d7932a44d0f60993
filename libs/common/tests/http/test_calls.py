"""A command's journey through the kit: authorized, recorded, answered; denied, recorded, told."""

import asyncio

import pytest
from parcel import AlreadySent, Shop, open_shop

from letopis.common.envelope import decode_meta
from letopis.common.errors import Unavailable
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.http import problems


class TestCommand:
    async def test_answers_the_receipt_of_a_durable_fact(self, shop: Shop) -> None:
        answer = await shop.send()
        assert answer.status_code == 201, answer.text
        (record,) = shop.store.ledgers["demo"]
        assert answer.headers["Letopis-Position"] == "demo/1"
        assert answer.json() == {
            "id": "p-1",
            "stream": "parcel:p-1",
            "version": 1,
            "position": "demo/1",
            "facts": [
                {
                    "type": "demo.parcel.sent",
                    "event_id": str(record.event_id),
                    "data": {"parcel_id": "p-1", "sender": "boris", "weight": 3.0},
                }
            ],
        }

    async def test_the_fact_carries_the_whole_decision(self, shop: Shop) -> None:
        await shop.client.post(
            "/v1/parcels/p-1/dispatch",
            json={"weight": 3, "packer": "anna"},
            headers={
                "Authorization": "Bearer boris",
                "Letopis-Purpose": "deliveries",
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            },
        )
        meta = decode_meta(shop.store.ledgers["demo"][0].meta)
        assert meta.actor.person == meta.actor.login == "boris"
        assert meta.actor.issuer == "http://issuer"
        assert meta.purpose == "deliveries"
        assert meta.correlation_id == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert meta.authorization.action == "demo.parcel.send"
        assert meta.authorization.input["facts"] == {"packer": "anna"}
        assert meta.authorization.result["allow"] is True
        assert meta.authorization.revision == meta.authorization.result["revision"] != ""

    async def test_a_refusal_is_a_problem_with_its_own_code(self, shop: Shop) -> None:
        await shop.send()
        answer = await shop.send()
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["type"] == "urn:letopis:problem:parcel.already_sent"
        assert told["title"] == "The parcel was sent already"
        assert told["correlation_id"] == answer.headers["Letopis-Correlation-Id"]

    async def test_payload_errors_name_the_field_and_keep_the_value_out(self, shop: Shop) -> None:
        answer = await shop.send(weight="4111111111111111x")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.weight"
        assert "4111111111111111" not in answer.text


class TestIdempotency:
    async def test_a_repeated_command_gets_the_first_answer_byte_for_byte(self, shop: Shop) -> None:
        first = await shop.send(key="k-1")
        again = await shop.send(key="k-1")
        assert again.status_code == 201
        assert again.content == first.content
        assert again.headers["Letopis-Position"] == first.headers["Letopis-Position"]
        assert len(shop.store.ledgers["demo"]) == 1

    async def test_is_answered_without_asking_policy_again(self, shop: Shop) -> None:
        await shop.send(key="k-1")
        shop.directory.roles["boris"] = frozenset()
        assert (await shop.send(key="k-1")).status_code == 201

    async def test_the_key_with_another_request_is_told_so(self, shop: Shop) -> None:
        await shop.send(key="k-1")
        for answer in (await shop.send(key="k-1", weight=4.0), await shop.send("p-2", key="k-1")):
            assert answer.status_code == 422
            assert answer.json()["code"] == "idempotency.key_reused"

    async def test_the_key_of_another_person_is_another_command(self, shop: Shop) -> None:
        await shop.send(key="k-1")
        answer = await shop.send(key="k-1", by="anna", packer="boris")
        assert answer.json()["code"] == "parcel.already_sent"

    async def test_many_at_once_do_it_once(self, shop: Shop) -> None:
        answers = await asyncio.gather(*(shop.send(key="k-1") for _ in range(10)))
        assert {answer.content for answer in answers} == {answers[0].content}
        assert len(shop.store.ledgers["demo"]) == 1

    async def test_a_denial_is_not_repeated_once_the_grant_is_there(self, shop: Shop) -> None:
        shop.directory.roles["boris"] = frozenset()
        assert (await shop.send(key="k-1")).status_code == 403
        shop.directory.roles["boris"] = frozenset({"operator"})
        assert (await shop.send(key="k-1")).status_code == 201

    @pytest.mark.parametrize("key", ["a b", "x" * 129, "\u00e4"])
    async def test_a_strange_key_is_refused(self, shop: Shop, key: str) -> None:
        answer = await shop.client.post(
            "/v1/parcels/p-1/dispatch",
            json={"weight": 3, "packer": "anna"},
            headers={b"Authorization": b"Bearer boris", b"Idempotency-Key": key.encode("latin-1")},
        )
        assert answer.status_code == 422
        assert answer.json()["code"] == "header.invalid"


class TestDenial:
    async def test_tells_rule_owner_and_remedy(self, shop: Shop) -> None:
        answer = await shop.send(by="anna")
        assert answer.status_code == 403
        told = answer.json()
        assert told["reasons"] == [
            {
                "rule": "four_eyes.own_parcel",
                "owner": "Warehouse control",
                "message": "who packed a parcel does not send it",
                "remedy": "ask another operator to send it",
            }
        ]
        assert told["remedy"] == "ask another operator to send it"

    async def test_is_a_fact_before_the_403_leaves(self, shop: Shop) -> None:
        answer = await shop.send(by="anna", key="k-1")
        (record,) = shop.store.ledgers["demo"]
        assert record.type == "demo.authorization.denied"
        assert record.command_id is None
        assert record.stream == f"authorization:{answer.json()['authorization_id']}"
        meta = decode_meta(record.meta)
        assert meta.actor.person == "anna"
        assert meta.authorization.result["deny"] == ["four_eyes.own_parcel"]
        assert b"four_eyes.own_parcel" in record.data

    async def test_one_that_cannot_be_recorded_is_not_given(self, opa_url: str) -> None:
        class Away(MemoryEventStore):
            async def append_all(self, *_: object, **__: object) -> None:
                raise Unavailable("the database is away or busy")

        async with open_shop(opa_url, store=Away(clock=None)) as shop:
            answer = await shop.send(by="anna")
            assert answer.status_code == 503
            assert answer.json()["code"] == "authorization.not_recorded"
            assert "reasons" not in answer.json()
            assert answer.headers["Retry-After"]
            allowed = await shop.send()
            assert allowed.status_code == 503
            assert allowed.json()["code"] == "unavailable"

    async def test_policy_that_is_away_denies_and_says_so(self) -> None:
        async with open_shop("http://127.0.0.1:9") as shop:
            answer = await shop.send()
            assert answer.status_code == 403
            assert answer.json()["reasons"][0]["rule"] == "policy.away"
            assert shop.store.ledgers["demo"][0].type == "demo.authorization.denied"

    async def test_an_answer_without_a_question_does_not_leave(self, shop: Shop) -> None:
        answer = await shop.get("/v1/parcels/p-1/label")
        assert answer.status_code == 500
        assert answer.json()["code"] == "http.policy_not_asked"
        assert "label" not in answer.text


class TestRead:
    async def test_a_caller_is_known_as_of_the_position_asked(self, shop: Shop) -> None:
        answer = await shop.get("/v1/parcels/p-1", Min_Position=f"registry/{shop.directory.at + 1}")
        assert answer.status_code == 503
        assert answer.json()["code"] == "view.behind"

    async def test_waits_for_the_position_asked(self, shop: Shop) -> None:
        answer = await shop.get("/v1/parcels/p-1", Min_Position="demo/7, other/99")
        assert answer.status_code == 200
        assert shop.views.waited == [{"demo": 7}]

    async def test_says_that_the_view_is_behind(self, shop: Shop) -> None:
        answer = await shop.get("/v1/parcels/p-1", Min_Position="demo/8")
        assert answer.status_code == 503
        assert answer.json()["code"] == "view.behind"

    @pytest.mark.parametrize("header", ["demo", "demo/x", "demo/1;", "/1", "demo/-1"])
    async def test_refuses_a_position_that_is_none(self, shop: Shop, header: str) -> None:
        answer = await shop.get("/v1/parcels/p-1", Min_Position=header)
        assert answer.status_code == 422


class TestLedgerDoor:
    async def test_gives_stored_records_by_position(self, shop: Shop) -> None:
        for number in range(5):
            await shop.send(f"p-{number}")
        answer = await shop.get("/v1/ledgers/demo/facts?after=1&limit=2", by="irina")
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = answer.text.splitlines()
        assert len(lines) == 2
        assert '"position":"2"' in lines[0]
        assert answer.headers["Letopis-Head"] == "5"
        assert answer.headers["Letopis-Position"] == "demo/3"

    async def test_ends_at_the_head(self, shop: Shop) -> None:
        await shop.send()
        answer = await shop.get("/v1/ledgers/demo/facts?after=1", by="features")
        assert answer.status_code == 200
        assert answer.content == b""
        assert answer.headers["Letopis-Head"] == "1"

    async def test_is_closed_to_operators_and_for_other_ledgers(self, shop: Shop) -> None:
        assert (await shop.get("/v1/ledgers/demo/facts", by="boris")).status_code == 403
        assert (await shop.get("/v1/ledgers/other/facts", by="irina")).status_code == 404
        assert (await shop.get("/v1/ledgers/demo/facts?limit=0", by="irina")).status_code == 422


def test_problems_lists_own_refusals_beside_the_common_ones() -> None:
    told = problems(AlreadySent)
    assert set(told) == {401, 403, 409, 422, 429, 503}
    assert "parcel.already_sent" in told[409]["content"]["application/problem+json"]["examples"]
