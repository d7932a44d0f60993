"""Changes of policy by data: what fits is in the bundle, what does not is named; departments only tighten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.policy.amending import ChangeRefused, amended, present
from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import bundle_of, collect

SESSION = "settings/registry/session"
RULE = "rules/registry/session/limit.role/mode"


@pytest.fixture(scope="module")
def rooms():
    return collect()


def asked(cores, groups=(), roles=("data_scientist",), held=0):
    return {
        "action": "registry.session.open",
        "subject": {
            "person": "anna",
            "login": "anna",
            "service": "",
            "roles": list(roles),
            "groups": list(groups),
            "act": "",
            "mfa_at": None,
        },
        "purpose": "",
        "object": {"type": "session", "id": "anna", "tenant": "", "attributes": {"cores": cores, "memory_gb": 1}},
        "context": {"time": "2026-11-21T06:55:08.123456Z"},
        "facts": {"held": {"cores": held, "memory_gb": 0}},
    }


def answer(bundle, question):
    engine = Engine(bundle)
    try:
        return engine.evaluate("letopis.registry.authorize", question)
    finally:
        engine.close()


class TestAmended:
    def test_no_change_is_what_the_rooms_wrote(self, rooms):
        assert amended(rooms, {}) == bundle_of(rooms)

    def test_a_setting_a_mode_and_roles_take_effect(self, rooms):
        changes = {
            f"{SESSION}/cap/cores": 16,
            "actions/registry.session.list/roles": ["auditor"],
        }
        bundle = amended(rooms, changes)
        assert bundle.revision != bundle_of(rooms).revision
        assert answer(bundle, asked(17))["deny"] == ["limit.role"]
        assert answer(bundle, asked(16))["allow"]
        softened = amended(rooms, {**changes, RULE: "warn"})
        told = answer(softened, asked(17))
        assert (told["allow"], told["warned"]) == (True, ["limit.role"])
        tables = bundle.data["bundle"]
        assert {path: present(tables, path) for path in changes} == changes

    def test_a_department_is_tightened_and_nobody_else(self, rooms):
        bundle = amended(rooms, {f"overlays/retail/{SESSION}/cap/cores": 8})
        assert answer(bundle, asked(9, ["department:retail"]))["deny"] == ["limit.role"]
        assert answer(bundle, asked(9, ["department:cards"]))["allow"]
        assert present(bundle.data["bundle"], f"overlays/retail/{SESSION}/cap/cores") == 8

    @pytest.mark.parametrize(
        ("path", "value", "told"),
        [
            (f"{SESSION}/cap/cores", "many", "kind integer"),
            (f"{SESSION}/cap/cores", 0, "at least"),
            (f"{SESSION}/cap/cores", True, "kind integer"),
            (f"{SESSION}/cap", {"cores": 1}, "no room lets this be changed"),
            (f"{SESSION}/roles", {"auditor": {"disks": 1}}, "has no disks"),
            ("settings/registry/nowhere/cap", 1, "no room lets this be changed"),
            (RULE, "sometimes", "observe, warn, prevent"),
            ("rules/registry/session/limit.none/mode", "warn", "no such rule"),
            ("rules/registry/policy_release/release.self_publication/mode", "observe", "not changed by policy"),
            ("actions/registry.policy_release.publish/roles", ["auditor"], "not changed by policy"),
            ("actions/registry.session.list/roles", ["king"], "no role king"),
            ("actions/registry.session.list/roles", ["*"], "neither given nor taken"),
            ("actions/registry.session.list/roles", [], "not empty"),
            ("modules/letopis/gate.rego", "package x", "no such thing"),
            (f"overlays/retail/{SESSION}/cap/cores", 65, "never loosen"),
            ("overlays/retail/rules/registry/session/limit.role/mode", "warn", "never loosen"),
            (f"overlays/retail/{SESSION}/quota_of", {}, "no department"),
            ("overlays/retail/actions/registry.session.list/roles", ["auditor"], "settings and modes"),
            (f"overlays/Retail!/{SESSION}/cap/cores", 1, "no such thing"),
        ],
    )
    def test_what_is_not_allowed_is_named(self, rooms, path, value, told):
        with pytest.raises(ChangeRefused, match=told):
            amended(rooms, {path: value})

    def test_an_overlay_is_held_against_what_the_bank_changed(self, rooms):
        changes = {f"{SESSION}/cap/cores": 8, f"overlays/retail/{SESSION}/cap/cores": 9}
        with pytest.raises(ChangeRefused, match="never loosen"):
            amended(rooms, changes)


@pytest.fixture(scope="module")
def two(rooms):
    """An engine without departments, and one with."""
    engines = (
        Engine(bundle_of(rooms)),
        Engine(
            amended(
                rooms,
                {
                    f"overlays/retail/{SESSION}/cap/cores": 32,
                    f"overlays/retail/{SESSION}/quota/cores": 40,
                    f"overlays/cards/{SESSION}/cap/cores": 20,
                },
            )
        ),
    )
    yield engines
    for one in engines:
        one.close()


@given(
    cores=st.integers(1, 100),
    held=st.integers(0, 100),
    groups=st.lists(st.sampled_from(["department:retail", "department:cards", "team"]), unique=True),
)
def test_a_department_never_gets_more_than_the_bank_gives(two, cores, held, groups):
    question = asked(cores, groups, held=held)
    without, tightened = (one.evaluate("letopis.registry.authorize", question) for one in two)
    limit = min([64, *([32] if "department:retail" in groups else []), *([20] if "department:cards" in groups else [])])
    quota = 40 if "department:retail" in groups else 96
    assert without["allow"] or not tightened["allow"]
    assert tightened["allow"] == (cores <= limit and held + cores <= quota)
