"""The library's traps, and the gate, on the real engine."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from letopis.common.policy import trial
from letopis.common.policy.engine import Engine, NotCompiled, PolicyUndefined
from letopis.common.policy.sources import Bundle, Room, bundle_of
from letopis.common.testing.policy import assert_monotone

SEND: dict[str, Any] = {
    "action": "demo.parcel.send",
    "subject": {"person": "boris", "login": "boris", "roles": ["operator"], "groups": []},
    "purpose": "deliveries",
    "object": {"type": "parcel", "id": "p-1", "tenant": "", "attributes": {"kilograms": 3, "gift": True}},
    "context": {"time": "2026-11-21T06:55:08.123456Z"},
    "facts": {"packer": "anna"},
}


def tiny(module: str) -> Engine:
    return Engine(Bundle(modules={"tiny.rego": module}, data={}, revision="r"))


class TestTraps:
    def test_a_module_that_does_not_compile_is_refused_at_once(self, demo: Bundle) -> None:
        broken = demo.modules | {"letopis/broken.rego": "package broken\nallow if missing_function(1)"}
        with pytest.raises(NotCompiled):
            Engine(replace(demo, modules=broken))

    def test_a_path_that_is_rego_is_undefined(self, demo: Bundle) -> None:
        engine = Engine(demo)
        for path in ("letopis.demo.authorize == 1", "letopis[_]", 'x"]', "", "a..b", "letopis.demo.authorize\n"):
            with pytest.raises(PolicyUndefined):
                engine.evaluate(path, SEND)

    def test_without_the_import_a_denial_vanishes(self) -> None:
        """Checklist: the `not` trap. The lint demands the import because of exactly this."""
        body = '\ndeny contains "a.b" if { not startswith(input.absent, "x") }\n'
        assert tiny("package p\nimport rego.v1" + body).evaluate("p.deny", {}) == []
        assert tiny("package p\nimport rego.v1\nimport future.keywords.not" + body).evaluate("p.deny", {}) == ["a.b"]

    def test_a_comparison_with_a_missing_field_never_fires(self) -> None:
        module = 'package p\nimport rego.v1\ndeny contains "a.b" if { input.person == input.author }\n'
        assert tiny(module).evaluate("p.deny", {"person": "anna"}) == []

    def test_a_block_of_not_is_read_as_one_only_with_the_import(self) -> None:
        """Without it `not {...}` negates an object or a set that is merely written there: it is never what it says."""
        body = '\ndeny contains "a.b" if {\n\tnot { input.a == 1; input.b == 2 }\n}\n'
        assert tiny("package p\nimport future.keywords.not\nimport rego.v1" + body).evaluate(
            "p.deny", {"a": 1, "b": 3}
        ) == ["a.b"]
        with pytest.raises(NotCompiled):
            tiny("package p\nimport rego.v1" + body)

    def test_an_undefined_document_is_told_apart_from_an_empty_one(self) -> None:
        engine = tiny("package p\nimport rego.v1\nempty := {}\nnothing := 1 if input.absent\n")
        assert engine.evaluate("p.empty", {}) == {}
        with pytest.raises(PolicyUndefined):
            engine.evaluate("p.nothing", {})

    def test_a_question_of_another_shape_is_incomplete_before_a_rule_is_heard(self, demo: Bundle) -> None:
        engine = Engine(demo)
        for path, value in (
            ("facts", {"packer": 7}),
            ("facts", {"packer": None}),
            ("facts", {"packer": ""}),
            ("facts", []),
            ("context", {"time": "yesterday"}),
            ("object", SEND["object"] | {"attributes": {"kilograms": "3", "gift": True}}),
            ("object", SEND["object"] | {"attributes": {"kilograms": -1, "gift": True}}),
            ("subject", SEND["subject"] | {"roles": "operator"}),
            ("subject", SEND["subject"] | {"groups": [1]}),
        ):
            answer = engine.evaluate("letopis.demo.authorize", SEND | {path: value})
            assert not answer["allow"], (path, value)
            assert "input.incomplete" in answer["deny"], (path, value)
            assert answer["reasons"]["input.incomplete"]["message"].startswith("the question is not complete: ")


class TestGate:
    def test_allows_with_obligations_and_revision(self, demo: Bundle) -> None:
        assert Engine(demo).evaluate("letopis.demo.authorize", SEND) == {
            "allow": True,
            "deny": [],
            "warned": [],
            "observed": [],
            "obligations": [{"type": "wrap", "colour": "red"}],
            "reasons": {},
            "revision": demo.revision,
        }

    @pytest.mark.parametrize("mode", ["observe", "warn", "prevent", "nonsense", None])
    def test_a_rule_stands_in_its_mode_and_prevents_without_one(self, demo: Bundle, mode: str | None) -> None:
        data = copy.deepcopy(demo.data)
        told = data["bundle"]["rules"]["demo"]["parcel"]["parcel.too_heavy"]
        told.pop("mode") if mode is None else told.update(mode=mode)
        heavy = copy.deepcopy(SEND)
        heavy["object"]["attributes"]["kilograms"] = 30
        answer = Engine(replace(demo, data=data)).evaluate("letopis.demo.authorize", heavy)
        fired = {key for key in ("deny", "warned", "observed") if "parcel.too_heavy" in answer[key]}
        assert fired == {{"observe": "observed", "warn": "warned"}.get(mode or "", "deny")}
        assert answer["allow"] is (mode in {"observe", "warn"})

    def test_roles_alone_open_a_ledger(self, demo: Bundle) -> None:
        engine = Engine(demo)
        read = SEND | {"action": "demo.ledger.read", "object": {"type": "ledger", "id": "demo"}}
        assert engine.evaluate("letopis.demo.authorize", read)["deny"] == ["role.not_granted"]
        auditor = read | {"subject": SEND["subject"] | {"roles": ["auditor"]}}
        assert engine.evaluate("letopis.demo.authorize", auditor)["allow"]

    def test_an_unknown_action_is_denied_by_name(self, demo: Bundle) -> None:
        answer = Engine(demo).evaluate("letopis.demo.authorize", SEND | {"action": "demo.parcel.fly"})
        assert not answer["allow"]
        assert "action.unknown" in answer["deny"]

    def test_saying_less_never_permits_more(self, demo: Bundle) -> None:
        for change in ({}, {"subject": SEND["subject"] | {"person": "anna"}}, {"purpose": ""}):
            assert_monotone(Engine(demo), "demo", SEND | change)

    def test_the_judge_of_monotony_can_say_no(self) -> None:
        module = """package letopis.open
import rego.v1
authorize := {"allow": yes, "deny": [], "warned": [], "observed": [], "obligations": []}
default yes := true
yes := false if input.person == input.author
"""
        bundle = Bundle(modules={"open.rego": module}, data={}, revision="r")
        with pytest.raises(AssertionError, match="without person"):
            assert_monotone(Engine(bundle), "open", {"person": "anna", "author": "anna"})


class TestTrial:
    def test_runs_every_test_beside_the_rooms(self, rooms: list[Room]) -> None:
        result = trial.run(rooms)
        assert result.failed == ()
        assert "letopis.demo.parcel_test.test_the_packer_does_not_send" in result.passed

    def test_names_a_failing_test(self, rooms: list[Room]) -> None:
        lax = [
            replace(one, module=one.module.replace("!= input.facts.packer", "!= 1")) if one.name else one
            for one in rooms
        ]
        assert "letopis.demo.parcel_test.test_the_packer_does_not_send" in trial.run(lax).failed

    def test_names_a_rule_that_no_test_would_miss(self, rooms: list[Room]) -> None:
        lazy = [
            replace(
                one,
                test=one.test.partition("# The gate itself")[0]
                .replace('answer.warned == {"parcel.too_heavy"}', "answer.allow")
                .replace('answer.deny == {"parcel.too_heavy"}', "true")
                .replace("\tnot answer.allow\n\ttrue", ""),
            )
            if one.name
            else one
            for one in rooms
        ]
        failed = trial.run(lazy).failed
        assert [one for one in failed if "no test notices that parcel.too_heavy" in one]

    def test_tests_are_not_published(self, rooms: list[Room]) -> None:
        assert not [name for name in bundle_of(rooms).modules if "test" in name]
