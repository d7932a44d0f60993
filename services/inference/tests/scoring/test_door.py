"""Scoring over HTTP: who may, what is answered, what is recorded."""

from collections.abc import Callable
from typing import Any

from letopis.inference.contract import DECISIONS, DecisionMade, DecisionRefused


async def made(bank: Any) -> list[DecisionMade]:
    await bank.shipped()
    records = await bank.decisions()
    facts = [DECISIONS.decode(one.type, one.schema_version, one.data) for one in records if DECISIONS.knows(one.type)]
    return [fact for fact in facts if isinstance(fact, DecisionMade)]


async def deployed(bank: Any, number: int = 1, flavour: str = "xgboost", **changed: Any) -> str:
    version_id = await bank.registry.register(number, flavour)
    await bank.registry.promote(version_id)
    answer = await bank.deploy(version_id, **changed)
    assert answer.status_code == 201, answer.text
    return version_id


class TestScore:
    async def test_the_answer_is_what_was_recorded(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        version_id = await deployed(bank)
        answer = await bank.score(clients[0])
        assert answer.status_code == 200, answer.text
        told = answer.json()
        (fact,) = await made(bank)
        assert told["decision_id"] in {str(one.event_id) for one in await bank.decisions()}
        assert (told["score"], told["decision"]) == (fact.score, fact.decision)
        assert fact.decision == ("refuse" if fact.score >= 0.5 else "accept")
        assert (fact.entity, fact.entity_id, fact.consumer) == ("account_id", "0", "bank-app")
        assert fact.inputs == {name: value for name, value in clients[0].items() if name != "account_id"}
        assert told["model"]["version_id"] == fact.version_id == version_id
        assert told["policy_revision"]

    async def test_v1_and_v2_live_together(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        """B16: v1 and v2 of an application live together, by different versions of the model."""
        first = await deployed(bank, 1)
        second = await bank.registry.register(2, "sklearn")
        await bank.registry.promote(second, first)
        assert (await bank.deploy(second, "v2", follows="version")).status_code == 201
        one, two = await bank.score(clients[3]), await bank.score(clients[3], path="credit/v2")
        assert (one.json()["model"]["version_id"], two.json()["model"]["version_id"]) == (first, second)
        listed = (await bank.ask("GET", "/v1/applications")).json()
        assert [(app["api_version"], app["version_id"]) for app in listed] == [("v1", first), ("v2", second)]

    async def test_an_ungranted_consumer_gets_403_and_a_fact(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        """B16: an ungranted application is refused and the refusal recorded; after a grant it scores."""
        await deployed(bank)
        answer = await bank.score(clients[0], by="call-centre")
        assert answer.status_code == 403
        assert answer.json()["reasons"][0]["rule"] == "consumer.not_granted"
        await bank.shipped()
        denied = [one for one in await bank.decisions() if one.type == "decisions.authorization.denied"]
        assert len(denied) == 1
        granted = await bank.ask(
            "POST", "/v1/deployments/credit.v1/consumers", "olga", json={"consumer": "call-centre"}
        )
        assert granted.status_code == 201
        assert (await bank.score(clients[0], by="call-centre")).status_code == 200

    async def test_a_revoked_grant_ends_the_lease_at_once(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        path = "/v1/deployments/credit.v1/consumers/bank-app/revocations"
        assert (await bank.ask("POST", path, "olga")).status_code == 201
        assert (await bank.score(clients[0])).status_code == 403

    async def test_an_ended_login_scores_no_more(
        self, bank: Any, clients: list[dict[str, Any]], end_principal: Callable[[str], object]
    ) -> None:
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        await bank.registry.tell(end_principal("bank-app"))
        await bank.settle()
        await bank.resources.callers.refresh()
        assert (await bank.score(clients[0])).status_code == 401

    async def test_unknown_and_mistyped_fields_are_named_and_recorded(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank)
        row = clients[0] | {"age": "forty", "income": 3}
        del row["limit_bal"]
        answer = await bank.score(row)
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == {"age", "income"}
        answer = await bank.score({name: value for name, value in clients[0].items() if name != "limit_bal"})
        assert [one["field"] for one in answer.json()["errors"]] == ["limit_bal"]
        await bank.shipped()
        records = [one for one in await bank.decisions() if one.type == "decisions.decision.refused"]
        facts = [DECISIONS.decode(one.type, one.schema_version, one.data) for one in records]
        assert [{one.field for one in fact.problems} for fact in facts if isinstance(fact, DecisionRefused)] == [
            {"age", "income"},
            {"limit_bal"},
        ]
        assert not await made(bank)

    async def test_rows_come_back_in_their_order_with_the_same_bits_as_alone(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        """C18: one version, rows together or alone: identical scores."""
        await deployed(bank)
        together = (await bank.score(clients[:50])).json()["decisions"]
        alone = [(await bank.score(row)).json() for row in clients[:50]]
        assert [one["score"] for one in together] == [one["score"] for one in alone]
        assert [one["entity_id"] for one in together] == [row["account_id"] for row in clients[:50]]

    async def test_more_rows_than_the_deployment_takes_are_refused(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank, most_rows=3)
        assert (await bank.score(clients[:3])).status_code == 200
        assert (await bank.score(clients[:4])).status_code == 422

    async def test_explains_on_request(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        await deployed(bank)
        answer = await bank.ask("POST", "/v1/score/credit/v1?explain=true", json=clients[0])
        told = answer.json()
        assert 1 <= len(told["reasons"]) <= 3
        (fact,) = await made(bank)
        assert fact.reasons is not None
        assert [one.name for one in fact.reasons] == [one["name"] for one in told["reasons"]]

    async def test_an_unknown_application_is_404_and_a_stranger_401(self, bank: Any) -> None:
        assert (await bank.score({}, path="credit/v9")).status_code == 404
        stranger = await bank.score({}, by="nobody")
        assert stranger.status_code == 401
        assert stranger.headers["www-authenticate"].startswith("Bearer")

    async def test_both_doors_answer_alike(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        """The fast door in front of the application is only faster."""
        import httpx

        await deployed(bank)
        inner = httpx.ASGITransport(app=_behind_front(bank.app))
        headers = {"Authorization": "Bearer bank-app", "Letopis-Purpose": "credit decisions"}
        async with httpx.AsyncClient(transport=inner, base_url="http://i", headers=headers) as client:
            for body in (clients[0], clients[:3], {"age": "x"}, []):
                fast = await bank.score(body)
                slow = await client.post("/v1/score/credit/v1", json=body)
                assert fast.status_code == slow.status_code
                assert _essence(fast.json()) == _essence(slow.json())


def _behind_front(app: Any) -> Any:
    from letopis.inference.scoring.front import ScoringFront

    stack = app.middleware_stack or app.build_middleware_stack()
    while not isinstance(stack, ScoringFront):
        stack = stack.app

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await stack.app(scope | {"app": app}, receive, send)

    return inner


def _essence(document: Any) -> Any:
    if isinstance(document, dict):
        left = {"decision_id", "correlation_id", "authorization_id"}
        return {name: _essence(value) for name, value in document.items() if name not in left}
    return [_essence(one) for one in document] if isinstance(document, list) else document
