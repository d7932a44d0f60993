"""Recorded decisions asked again: bit for bit under their own revision, and compared under two."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from letopis.common.policy.amending import amended
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import Recorded, ask, difference, replay
from letopis.common.policy.sources import collect
from letopis.common.policy.verdict import read_answer, verdict_of
from letopis.common.serialization import canonical

CAP = "settings/registry/session/cap/cores"
MODE = "rules/registry/session/limit.role/mode"


@pytest.fixture(scope="module")
def bundles():
    rooms = collect()
    return amended(rooms, {}), amended(rooms, {CAP: 16}), amended(rooms, {CAP: 16, MODE: "warn"})


@pytest.fixture(scope="module")
def engines(bundles):
    made = [Engine(one) for one in bundles]
    yield made
    for one in made:
        one.close()


def question(cores, login="anna"):
    return {
        "action": "registry.session.open",
        "subject": {
            "person": login,
            "login": login,
            "service": "",
            "roles": ["data_scientist"],
            "groups": [],
            "act": "",
            "mfa_at": None,
        },
        "purpose": "",
        "object": {"type": "session", "id": login, "tenant": "", "attributes": {"cores": cores, "memory_gb": 1}},
        "context": {"time": "2026-11-21T06:55:08.123456Z"},
        "facts": {"held": {"cores": 0, "memory_gb": 0}},
    }


def recorded(engine, cores, position):
    input = question(cores)
    answer = ask(engine, input)
    authorization = {
        "authorization_id": str(position),
        "revision": answer["revision"],
        "input": input,
        "result": answer,
    }
    return Recorded(
        ledger="registry", position=position, recorded_at=f"2026-11-21T06:55:0{position}", authorization=authorization
    )


class TestReplay:
    def test_is_the_same_to_the_last_bit(self, engines):
        for cores in (8, 65):
            assert replay(engines[0], recorded(engines[0], cores, 1).authorization).same

    @pytest.mark.parametrize("name", ["allow", "deny", "reasons", "revision"])
    def test_tells_a_record_that_was_changed(self, engines, name):
        authorization = recorded(engines[0], 8, 1).authorization
        changed = {"allow": False, "deny": ["limit.role"], "reasons": {"limit.role": {}}, "revision": "0" * 64}[name]
        told = replay(engines[0], {**authorization, "result": {**authorization["result"], name: changed}})
        assert not told.same
        assert told.answer == authorization["result"]

    def test_an_obligation_that_could_not_be_fulfilled_is_denied_again(self, engines):
        input = {
            "action": "features.online.read",
            "subject": question(1)["subject"] | {"roles": ["consumer"]},
            "purpose": "credit",
            "object": {"type": "bundle", "id": "b", "tenant": "", "attributes": {}},
            "context": {"time": "2026-11-21T06:55:08.123456Z"},
            "facts": {},
        }
        answer = read_answer(ask(engines[0], input))
        result = verdict_of(answer, input, "").authorization.result
        assert replay(engines[0], {"input": input, "result": result}).same


class TestDifference:
    def test_says_who_flips_by_which_rule(self, engines):
        told = difference(engines[0], engines[1], [recorded(engines[0], cores, at) for at, cores in ((1, 8), (2, 17))])
        assert (told["decisions"], told["flipped"]) == (2, 1)
        assert told["changes"] == [
            {"action": "registry.session.open", "rule": "limit.role", "change": "newly denied", "decisions": 1}
        ]
        (flip,) = told["flips"]
        assert (flip["person"], flip["position"], flip["after"]["deny"]) == ("anna", 2, ["limit.role"])

    def test_another_mode_is_a_flip_of_two_kinds(self, engines):
        told = difference(engines[1], engines[2], [recorded(engines[1], 17, 1)])
        assert {one["change"] for one in told["changes"]} == {"no longer denied", "newly warned"}

    def test_nothing_flips_under_the_same_policy(self, engines):
        told = difference(engines[0], engines[0], [recorded(engines[0], cores, 1) for cores in (1, 65)])
        assert (told["decisions"], told["flipped"], told["changes"], told["flips"]) == (2, 0, [], [])

    def test_the_command_tells_the_same(self, engines, bundles):
        decisions = [recorded(engines[0], 17, 1)]
        lines = [{"before": asdict(bundles[0]), "after": asdict(bundles[1])}, *map(asdict, decisions)]
        command = [sys.executable, "-m", "letopis.common.policy", "rehearse"]
        done = subprocess.run(
            command, input="\n".join(map(json.dumps, lines)).encode(), capture_output=True, check=True
        )
        told = json.loads(done.stdout)
        assert told.pop("revision") == bundles[1].revision
        assert told.pop("follows") == bundles[0].revision
        assert canonical(told) == canonical(difference(engines[0], engines[1], decisions))


def test_what_no_engine_answered_is_not_asked_again(engines):
    one = recorded(engines[0], 8, 1)
    silent = {**one.authorization, "result": {**one.authorization["result"], "deny": ["policy.away"]}}
    assert one.answered
    assert not Recorded(ledger="registry", position=1, recorded_at="", authorization=silent).answered
    assert not Recorded(ledger="registry", position=1, recorded_at="", authorization={"lease": "1"}).answered
    at_the_door = {**one.authorization, "revision": ""}
    assert not Recorded(ledger="registry", position=1, recorded_at="", authorization=at_the_door).answered
