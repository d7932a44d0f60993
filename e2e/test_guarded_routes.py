"""Nobody passes unasked: strangers get 401 everywhere, bad input a problem that says what to do, machines no vote."""

import json
from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from e2e.journey import governing, modelling
from e2e.journey.data import PURPOSE
from e2e.routes import routes_of
from e2e.stacks import SERVICES

HEALTH = {"GET /healthz", "GET /readyz", "GET /metrics"}
PUBLIC = {
    "registry": {"GET /v1/keys"},
    "audit": {
        "GET /log/{ledger}/checkpoint",
        "GET /log/{ledger}/key",
        "GET /log/{ledger}/witnessed",
        "GET /log/{ledger}/succession",
        "GET /v1/verify.html",
        "GET /heartbeat",
        "GET /heartbeat/key",
        "GET /log/{ledger}/tile/{level}/{path:path}",
    },
    "console": {
        "GET /login",
        "GET /auth/callback",
        "POST /auth/logout",
        "GET /auth/out",
        "GET /static/{name}",
    },
}
LONG = {"idempotency-key": "x" * 500}
OUTCOME = {"entity_id": "1", "as_of": "yesterday", "label": 3, "known_at": "2005-06-28T00:00:00Z"}
# Who sends what to whom, the status it gets, and a word that the answer must say about it.
BAD = [
    ("anna", "registry", "POST", "/v1/models", {"content": b"{"}, 422, "body"),
    ("anna", "registry", "POST", "/v1/models", {"json": {}}, 422, "model_id"),
    ("anna", "registry", "POST", "/v1/models", {"json": {"model_id": "a b", "name": "A"}}, 422, "model_id"),
    ("anna", "registry", "GET", "/nothing", {}, 404, "Not Found"),
    ("anna", "registry", "DELETE", "/v1/models", {}, 405, "Not Allowed"),
    ("anna", "registry", "GET", "/v1/models", {"headers": {"min-position": "x"}}, 422, "Min-Position"),
    ("anna", "registry", "POST", "/v1/models", {"headers": LONG, "json": {}}, 422, "Idempotency-Key"),
    ("anna", "features", "POST", "/v1/queries", {"json": {"sql": "SELEC 1"}}, 409, "parser"),
    ("anna", "features", "POST", "/v1/queries", {"json": {"sql": "SELECT 1 FROM nowhere"}}, 409, "nowhere"),
    ("bank-app", "inference", "POST", "/v1/score/cards/v1", {"json": [1]}, 422, "row"),
    ("bank-app", "inference", "POST", "/v1/score/cards/v1", {"content": b"\xff{"}, 422, "body"),
    ("bank-app", "inference", "POST", "/v1/score/cards/v1", {"json": {"account_id": "1", "age": "old"}}, 422, "age"),
    ("bank-app", "inference", "POST", "/v1/score/nothing/v1", {"json": {"account_id": "1"}}, 404, "nothing"),
    ("bank-app", "monitoring", "POST", "/v1/outcomes", {"json": {"entity": "a", "rows": [OUTCOME]}}, 422, "label"),
    ("boris", "monitoring", "GET", "/v1/alerts/none", {}, 422, "alert_id"),
    ("rita", "audit", "POST", "/v1/packs", {"json": {}}, 422, "model_id"),
    ("rita", "audit", "GET", "/v1/proofs/inclusion?ledger=nothing&position=1", {}, 404, "nothing"),
    ("boris", "console", "GET", "/decisions/none", {}, 422, "decision_id"),
    ("boris", "console", "GET", "/facts/none", {}, 404, "none"),
]


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey: models in production, people with roles."""
    return world


def ask(world, login, service, method, path, headers=None, **sent):
    named = {"authorization": f"Bearer {world[login].token}", "letopis-purpose": PURPOSE}
    if method != "GET":
        named["idempotency-key"] = str(uuid4())
    return world.http.request(method, world.urls[service] + path, headers=named | (headers or {}), **sent)


def problem(answer):
    """The document, after RFC 9457; it MUST say what happened and what to do."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"].startswith("urn:letopis:problem:")
    assert document["title"]
    assert document["detail"]
    assert document["remedy"]
    return document


def told(answer):
    """What happens with one answer repeated until policy was not too late on a loaded machine."""
    reasons = answer.json().get("reasons", ()) if answer.status_code == 403 else ()
    return None if any(one["rule"].startswith("policy.") for one in reasons) else answer


class TestStrangers:
    @pytest.mark.parametrize("service", SERVICES)
    def test_every_route_but_the_listed_public_ones_answers_401(self, whole, played, service):
        routes = routes_of(whole, service)
        assert {str(one) for one in routes if one.public} == HEALTH | PUBLIC.get(service, set())
        passed = {}
        for route in (one for one in routes if not one.public):
            answer = played.http.request(route.method, played.urls[service] + route.place)
            if answer.status_code != 401:
                passed[str(route)] = answer.status_code
            else:
                assert answer.headers["www-authenticate"].startswith("Bearer")
        assert passed == {}
        assert len(routes) > 10

    @pytest.mark.parametrize("service", SERVICES)
    def test_public_routes_answer_without_a_token(self, played, service):
        assert played.http.get(f"{played.urls[service]}/readyz").status_code == 200

    def test_a_token_of_another_hand_is_refused(self, played):
        """Anna's own claims, signed by a key that the issuer does not have."""
        head, claims, _ = played["anna"].token.split(".")
        signature = Ed25519PrivateKey.generate().sign(f"{head}.{claims}".encode())
        forged = f"{head}.{claims}." + urlsafe_b64encode(signature).decode().rstrip("=")
        for service in SERVICES[:-1]:
            answer = played.http.get(
                f"{played.urls[service]}/v1/ledgers/{service}/facts", headers={"authorization": f"Bearer {forged}"}
            )
            assert answer.status_code == 401, service
            assert problem(answer)["code"] == "token.refused"


class TestBadInput:
    @pytest.mark.parametrize(("login", "service", "method", "path", "sent", "status", "word"), BAD)
    def test_is_a_problem_that_says_what_to_do(self, played, login, service, method, path, sent, status, word):
        answer = played.until(path, lambda: told(ask(played, login, service, method, path, **sent)))
        assert answer.status_code == status, answer.text
        document = problem(answer)
        assert word in json.dumps(document)

    def test_the_same_key_with_another_body_is_refused(self, played):
        key = {"idempotency-key": str(uuid4())}
        body = {"model_id": f"keyed-{uuid4().hex[:8]}", "name": "Keyed"}
        first = ask(played, "anna", "registry", "POST", "/v1/models", headers=key, json=body)
        again = ask(played, "anna", "registry", "POST", "/v1/models", headers=key, json=body)
        other = ask(played, "anna", "registry", "POST", "/v1/models", headers=key, json=body | {"name": "Other"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert other.status_code == 422
        problem(other)


class TestDenials:
    def test_say_which_rule_who_owns_it_and_how_to_proceed(self, played):
        """A26: a denial names the rule, its owner, and the way on; the chronicle keeps it."""
        for login, service, path, body in (
            ("oleg", "registry", "/v1/models/cards-default/rollbacks", {"reason": "no"}),
            ("oleg", "features", "/v1/queries", {"sql": "SELECT label FROM panel"}),
            ("irina", "monitoring", "/v1/monitors", {"version_id": "cards-default.3", "window": {"unit": "month"}}),
            ("anna", "audit", "/v1/packs", {"model_id": "cards-default"}),
        ):
            refused = played[login].refused("POST", service, path, json=body, purpose=PURPOSE)
            assert refused.status == 403, refused
            assert refused.document["reasons"]
            for reason in refused.document["reasons"]:
                assert all(reason[part] for part in ("rule", "owner", "message", "remedy")), reason
            assert refused.document["authorization_id"]


class TestMachines:
    @pytest.mark.parametrize(
        ("login", "rule"), [("bank-app", "role.not_granted"), ("service:inference", "promotion.human_hand")]
    )
    def test_a_service_cannot_approve(self, played, login, rule):
        """A32: a machine's own identity has its own grants; a person's signature is not among them."""
        asked = played["irina"].get("registry", "/v1/promotions")[0]
        body = governing.signed(played, asked, "boris")
        path = f"/v1/promotions/{asked['promotion_id']}/approvals"
        refused = played[login].refused("POST", "registry", path, json=body)
        assert refused.status == 403, refused
        assert rule in refused.rules

    @pytest.mark.parametrize("role", ["validator", "model_owner", "risk_officer", "administrator"])
    def test_nobody_makes_a_program_an_approver(self, played, role):
        """A32: roles of people are for people; an administrator cannot lend one to an application."""
        refused = played["olga"].refused("POST", "registry", "/v1/principals/bank-app/roles", json={"role": role})
        assert refused.status == 403, refused
        assert "roles.for_people" in refused.rules

    def test_a_persons_token_cannot_act_as_a_service(self, played):
        """A32: the developer who trained the model cannot score in the application's name."""
        refused = played["anna"].refused(
            "POST", "inference", "/v1/score/cards/v1", json={"account_id": "1"}, purpose=PURPOSE
        )
        assert refused.status == 403


class TestOwnHands:
    def test_the_author_cannot_deploy(self, played, story):
        """C03: the author of a version does not put it to work, whatever roles she has."""
        body = {"application": "mine", "api_version": "v1", "version_id": story.versions[0], "consumers": []}
        refused = played["anna"].refused("POST", "inference", "/v1/deployments", json=body)
        assert refused.status == 403, refused
        assert "deployment.own_version" in refused.rules

    @pytest.mark.parametrize("path", ["model.pkl", "model.joblib", "notebook.ipynb", "../model.json"])
    def test_a_notebook_or_pickle_is_no_artifact(self, played, story, path):
        """C03: what cannot be read without running it never becomes a version, not even a draft."""
        version = played["anna"].get("registry", f"/v1/versions/{story.versions[0]}")
        manifest = version["manifest"]
        more = {"path": path, "sha256": modelling.upload(played, path.encode()), "bytes": len(path)}
        body = {"model_id": modelling.MODEL, "manifest": manifest | {"artifacts": [*manifest["artifacts"], more]}}
        refused = played["anna"].refused("POST", "registry", "/v1/versions", json=body)
        assert refused.status == 422, refused
        assert path in refused.document["detail"]
