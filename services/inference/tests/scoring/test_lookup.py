"""Inputs that a request leaves out come from the features service, with their state and their times."""

from typing import Any

import httpx
import pytest

from letopis.inference.contract import DECISIONS
from letopis.inference.scoring.lookup import Found, joined
from letopis.inference.scoring.plan import plan_of

PLAN = plan_of(
    {
        "signature": {
            "inputs": [{"name": "a", "type": "double"}, {"name": "b", "type": "long"}, {"name": "c", "type": "boolean"}]
        }
    }
)


class TestJoined:
    def test_given_values_win_and_found_ones_bring_their_times(self) -> None:
        found = {"b": Found(value=3, status="STALE", event_time="t1", known_time="t2")}
        whole, origins = joined(PLAN, {"a": 1.0}, ("b", "c"), found)
        assert whole == {"a": 1.0, "b": 3, "c": None}
        assert [(one.name, one.status, one.event_time, one.known_time) for one in origins] == [
            ("b", "STALE", "t1", "t2"),
            ("c", "MISSING", None, None),
        ]

    @pytest.mark.parametrize(("name", "value"), [("a", "x"), ("a", True), ("b", 2.5), ("b", 2**60), ("c", 1)])
    def test_a_value_of_another_type_is_missing_and_said_to_be(self, name: str, value: Any) -> None:
        whole, (origin,) = joined(PLAN, {}, (name,), {name: Found(value=value, status="PRESENT")})
        assert whole[name] is None
        assert origin.status == "UNFIT"

    def test_masked_values_are_not_used(self) -> None:
        whole, (origin,) = joined(PLAN, {}, ("a",), {"a": Found(value=None, status="MASKED")})
        assert (whole["a"], origin.status) == (None, "MASKED")


class Features:
    """The features service's door, as its own api.py tells it."""

    def __init__(self, clients: list[dict[str, Any]]) -> None:
        self.rows = {row["account_id"]: row for row in clients}
        self.asked: list[dict[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        request = Request(scope, receive)
        self.asked.append(dict(request.headers) | {"path": request.url.path})
        names = ["limit_bal", "age", "pay_0", "bill_amt"]
        entities = []
        for key in (await request.json())["entities"]:
            row = self.rows.get(key)
            entities.append(
                {
                    "key": key,
                    "values": [row[name] if row else None for name in names],
                    "status": ["PRESENT" if row else "MISSING"] * 4,
                    "event_times": ["2005-04-30T00:00:00+00:00" if row else None] * 4,
                    "known_times": ["2005-05-01T00:00:00+00:00" if row else None] * 4,
                }
            )
        await JSONResponse({"bundle_id": "b", "features": names, "entities": entities})(scope, receive, send)


async def deployed(bank: Any, clients: list[dict[str, Any]]) -> Features:
    features = Features(clients)
    bank.resources.peers._transport = httpx.ASGITransport(app=features)
    bank.resources.peers._mounts = {}
    version_id = await bank.registry.register(1, features={"bundle": "credit-bundle", "entity": "account_id"})
    await bank.registry.promote(version_id)
    assert (await bank.deploy(version_id)).status_code == 201
    return features


class TestScoreWithBundle:
    async def test_looks_up_what_is_left_out_and_scores_the_same(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        features = await deployed(bank, clients)
        looked_up = await bank.score({"account_id": "5", "pay_amt": clients[5]["pay_amt"]})
        assert looked_up.status_code == 200, looked_up.text
        given = await bank.score(clients[5])
        assert looked_up.json()["score"] == given.json()["score"]
        assert [one["path"] for one in features.asked] == ["/v1/online/credit-bundle"]
        assert features.asked[0]["letopis-purpose"] == "credit decisions"
        await bank.shipped()
        facts = [
            DECISIONS.decode(one.type, one.schema_version, one.data)
            for one in await bank.decisions()
            if one.type == "decisions.decision.made"
        ]
        assert {one.name: (one.status, one.event_time) for one in facts[0].looked_up} == dict.fromkeys(
            ("limit_bal", "age", "pay_0", "bill_amt"), ("PRESENT", "2005-04-30T00:00:00+00:00")
        )
        assert facts[0].inputs == facts[1].inputs
        assert facts[1].looked_up == ()

    async def test_an_unknown_entity_lacks_required_inputs(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        await deployed(bank, clients)
        answer = await bank.score({"account_id": "nobody"})
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == {"limit_bal", "age", "pay_0", "bill_amt"}

    async def test_features_away_is_503_and_whole_rows_are_still_scored(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank, clients)

        async def gone(_scope: Any, _receive: Any, _send: Any) -> None:
            raise httpx.ConnectError("away")

        bank.resources.peers._transport = httpx.ASGITransport(app=gone)
        answer = await bank.score({"account_id": "5"})
        assert (answer.status_code, answer.json()["code"]) == (503, "scoring.features_away")
        assert (await bank.score(clients[5])).status_code == 200
