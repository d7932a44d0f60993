"""Every kind of recorded decision, asked again: the same answer bit for bit; none that widens by saying less."""

import json
from collections import defaultdict

import pytest
from e2e.stacks import SERVICES

from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.policy import assert_monotone

# Of one action with one answer so many inputs are tried; they differ in names.
OF_A_KIND = 3


@pytest.fixture(scope="module")
def engine():
    started = Engine(bundle_of(collect()))
    yield started
    started.close()


@pytest.fixture(scope="module")
def recorded(whole, engine):
    """The authorizations in the facts of all ledgers, under the policy that is in force here, by action and answer."""
    kinds = defaultdict(list)
    for service in SERVICES:
        # A decision carries its lease's event, not an authorization; the lease carries it.
        query = "SELECT meta FROM es.event WHERE type <> 'decisions.decision.made'"
        with whole.connect(service) as connection:
            for (meta,) in connection.execute(query):
                found = json.loads(bytes(meta)).get("authorization")
                if found and found["revision"] == engine.revision:
                    result = found["result"]
                    kinds[found["action"], result["allow"], tuple(result["deny"])].append(found)
    return {kind: of_it[:OF_A_KIND] for kind, of_it in kinds.items()}


def authorizations(recorded):
    return [one for of_it in recorded.values() for one in of_it]


class TestRecorded:
    def test_a_decision_replays_to_the_last_bit(self, recorded, engine):
        for one in authorizations(recorded):
            if "obligation.unknown" in one["result"]["deny"]:
                continue
            service = one["action"].partition(".")[0]
            answer = engine.evaluate(f"letopis.{service}.authorize", one["input"])
            assert json.dumps(answer, sort_keys=True) == json.dumps(one["result"], sort_keys=True), one["action"]
        assert len(recorded) > 25
        assert {allow for _, allow, _ in recorded} == {True, False}

    def test_without_any_field_no_answer_is_wider(self, recorded, engine):
        for one in authorizations(recorded):
            assert_monotone(engine, one["action"].partition(".")[0], one["input"])
