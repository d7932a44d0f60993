"""The policies of all services together: saying less never permits more, and every action can be allowed and denied."""

import os

import pytest
from e2e.stacks import SERVICES

from letopis.common.policy import mutation, trial
from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.policy import assert_monotone
from letopis.common.testing.questions import questions

ROOMS = collect()
BUNDLE = bundle_of(ROOMS)
ACTIONS = {
    service: [action for action in BUNDLE.data["bundle"]["actions"] if action.startswith(f"{service}.")]
    for service in SERVICES
}
EACH = int(os.environ.get("LETOPIS_FUZZ_EXAMPLES", "3"))
MOST = 2000
# All of them are `make policy-mutants`.
EVERY = 10


@pytest.fixture(scope="module")
def engine():
    started = Engine(BUNDLE)
    yield started
    started.close()


class TestEveryAction:
    @pytest.mark.parametrize("service", SERVICES)
    def test_saying_less_never_permits_more(self, engine, service):
        """Every field of generated questions about every action is taken away in turn."""
        actions = ACTIONS[service]
        for question in questions(BUNDLE, actions, len(actions) * EACH):
            assert_monotone(engine, service, question)

    @pytest.mark.parametrize("service", SERVICES)
    def test_generated_questions_meet_both_answers(self, engine, service):
        """Else the property above would be told of denials alone; who may do it does so in some question."""
        never = set(ACTIONS[service])
        for question in questions(BUNDLE, ACTIONS[service], len(ACTIONS[service]) * MOST, seed=1, whole=True):
            if question["action"] in never and engine.evaluate(f"letopis.{service}.authorize", question)["allow"]:
                never.discard(question["action"])
                if not never:
                    break
        assert never == set()


@pytest.mark.parametrize("room", [one for one in ROOMS if one.name and one.module], ids=lambda room: room.package)
def test_a_change_of_a_rule_is_noticed_by_a_test_of_its_room(room):
    mutants = list(mutation.of(room.module))[::EVERY]
    outcomes = list(trial.outcomes(room, ROOMS, mutants))
    assert [one.mutation.label for one in outcomes if not one.noticed_by] == []
    assert outcomes
