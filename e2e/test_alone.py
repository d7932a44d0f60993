"""Each service runs alone on its own database: it answers what it can, says 503 for what it cannot, and never 500."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from e2e.journey.data import PURPOSE
from e2e.routes import routes_of
from e2e.stacks import SERVICES

pytestmark = pytest.mark.drill

ONE = {"account_id": "7"}
NEXT = {"application": "cards", "api_version": "v2", "version_id": "cards-default.2", "consumers": ["bank-app"]}
COUNT = {"sql": "SELECT count(*) AS n FROM panel"}

# Who asks what, and gets it from the service's own facts.
CAN = {
    "registry": [
        ("anna", "GET", "/v1/models/cards-default", None),
        ("boris", "GET", "/v1/promotions", None),
        ("olga", "POST", "/v1/principals/oleg/groups", {"group": "alone"}),
    ],
    "features": [("oleg", "GET", "/v1/sources", None), ("anna", "POST", "/v1/queries", COUNT)],
    "inference": [
        ("olga", "GET", "/v1/deployments", None),
        ("boris", "GET", "/v1/decisions?application=cards", None),
    ],
    "monitoring": [("boris", "GET", "/v1/alerts", None), ("anna", "GET", "/v1/monitors", None)],
    "audit": [
        ("rita", "GET", "/log/decisions/checkpoint", None),
        ("rita", "GET", "/v1/proofs/inclusion?ledger=decisions&position=1", None),
        ("rita", "POST", "/v1/reports", {"type": "model_inventory"}),
    ],
    "console": [("boris", "GET", "/", None), ("boris", "GET", "/promotions", None)],
}
# What needs another service: a version's files, a training set, somebody else's fact.
CANNOT = {
    "inference": [("olga", "POST", "/v1/deployments", NEXT), ("bank-app", "POST", "/v1/score/cards/v1", ONE)],
    "monitoring": [("anna", "POST", "/v1/monitors", {"version_id": "cards-default.3", "window": {"unit": "month"}})],
    "console": [("boris", "GET", "/decisions/{decision}", None)],
}


@pytest.fixture(scope="module")
def down(storm):
    """A stack that has seen the whole journey, stopped; it runs again for the tests that follow."""
    storm.stack.down()
    yield storm.stack
    storm.stack.up("--no-mlflow")


@contextmanager
def alone(stack, service):
    stack.up("--services", service, "--no-mlflow")
    try:
        yield
    finally:
        stack.down()


@pytest.fixture(scope="module", params=SERVICES)
def single(request, down):
    """One service and nobody else of ours."""
    with alone(down, request.param):
        yield request.param


def ask(world, login, method, place, body=None):
    headers = {"authorization": f"Bearer {world[login].token}", "letopis-purpose": PURPOSE}
    if method != "GET":
        headers["idempotency-key"] = str(uuid4())
    sent = {} if body is None else {"json": body}
    return world.http.request(method, place, headers=headers, **sent)


class TestAlone:
    def test_is_healthy_and_answers_from_its_own_facts(self, storm, single):
        world, url = storm.world, storm.world.urls[single]
        assert world.http.get(f"{url}/healthz").status_code == 200
        assert world.http.get(f"{url}/readyz").status_code == 200
        for login, method, path, body in CAN[single]:
            answer = world.until(path, lambda: _sure(ask(world, login, method, url + path, body)))  # noqa: B023
            assert answer.status_code in {200, 201}, answer.text
            assert len(answer.content) > 2

    def test_says_503_for_what_needs_another(self, storm, single):
        url = storm.world.urls[single]
        for login, method, path, body in CANNOT.get(single, ()):
            place = url + path.replace("{decision}", storm.story.refused_decision)
            answer = ask(storm.world, login, method, place, body)
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert answer.json()["detail"]

    def test_no_route_answers_500(self, storm, single):
        found = {}
        for route in routes_of(storm.stack, single):
            body = None if route.method == "GET" else {}
            answer = ask(storm.world, "irina", route.method, storm.world.urls[single] + route.place, body)
            if answer.status_code >= 500 and answer.status_code != 503:
                found[str(route)] = answer.text
        assert found == {}


def _sure(answer):
    """The answer, unless policy was asked too early or too late: a machine under load."""
    if answer.status_code == 403 and any(one["rule"].startswith("policy.") for one in answer.json()["reasons"]):
        return None
    return answer
