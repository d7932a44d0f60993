"""Doors that generated and confusing requests try to break: no fault, no broken promise, no stranger let in.

The journey's stack is the one tried, so this file comes last. A short run here; `make fuzz` tries far more.
"""

import os

import pytest
from e2e.fuzz.confusing import ask, requests, smuggled
from e2e.fuzz.doors import Trial
from e2e.routes import routes_of
from e2e.stacks import SERVICES

from letopis.common.policy.sources import collect

EXAMPLES = int(os.environ.get("LETOPIS_FUZZ_EXAMPLES", "2"))
CHANCE = os.environ.get("LETOPIS_FUZZ_CHANCE")
# Who may do most of what a role may.
WHO = {
    "*": "anna",
    "data_scientist": "anna",
    "ml_engineer": "anna",
    "data_engineer": "oleg",
    "model_owner": "boris",
    "validator": "vera",
    "risk_officer": "vera",
    "auditor": "irina",
    "security_officer": "pavel",
    "administrator": "olga",
    "regulator": "rita",
    "consumer": "bank-app",
    "service": "service:inference",
}
KNOWN = {
    "version_id": ["cards-default.2", "cards-default.3"],
    "model_id": ["cards-default"],
    "ledger": ["registry", "features", "inference", "monitoring", "audit"],
    "login": ["oleg"],
    "application": ["cards"],
    "api_version": ["v1"],
    "source_id": ["panel"],
}


@pytest.fixture(scope="module")
def people(world, story):
    roles = {action: told["roles"] for room in collect() for action, told in room.actions.items()}

    def token(action):
        return world[next(WHO[role] for role in roles[action] if role in WHO)].token

    return token


class TestGenerated:
    @pytest.mark.timeout(0 if CHANCE else 300)
    @pytest.mark.parametrize("service", SERVICES[:-1])
    def test_no_request_meets_a_fault_or_a_broken_promise(self, world, people, service):
        document = world["anna"].get(service, "/openapi.json")
        chance = int(CHANCE) if CHANCE else None
        trial = Trial(
            url=world.urls[service], document=document, token=people, known=KNOWN, examples=EXAMPLES, chance=chance
        )
        sent, found = trial.run()
        assert sent >= len(document["paths"])
        assert not found, "\n".join(map(str, found))


class TestConfusing:
    @pytest.mark.parametrize("service", SERVICES)
    def test_no_spelling_of_a_request_passes_the_guard(self, whole, world, service):
        guarded = next(one for one in routes_of(whole, service) if not one.public and one.method == "GET")
        passed = []
        for request in requests(guarded.place):
            answer = ask(world.urls[service], request)
            # What is answered at all is the public door's own short answer, or nothing to read.
            told = answer.status < 300 and answer.status and b'"status":"alive"' not in answer.body
            if answer.status >= 500 or answer.more or told:
                passed.append((request[:200], answer.status, answer.body[:200]))
        assert passed == []

    @pytest.mark.parametrize("service", SERVICES)
    def test_no_request_hides_another(self, whole, world, service):
        guarded = next(one for one in routes_of(whole, service) if not one.public and one.method == "POST")
        twice = []
        for path in (guarded.place, "/healthz"):
            for request in smuggled(path, "/metrics"):
                answer = ask(world.urls[service], request)
                if answer.more or answer.status >= 500 or b"http_requests" in answer.body:
                    twice.append((request[:200], answer.status, answer.body[:200]))
        assert twice == []
