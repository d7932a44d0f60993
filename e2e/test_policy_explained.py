"""Recorded answers of policy are found, read and asked again; a refusal says whose rule it is and how to go on."""

import json

import pytest

from letopis.common.ledgers import OWNERS
from letopis.sdk import policies
from letopis.sdk.client import Letopis
from letopis.sdk.decisions import decisions
from letopis.sdk.login import demo_login


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


@pytest.fixture
def irina(played, tmp_path, monkeypatch):
    """The auditor at the command line."""
    monkeypatch.setenv("LETOPIS_DATA_DIR", str(played.data_dir))
    monkeypatch.setenv("LETOPIS_CONFIG_DIR", str(tmp_path))
    with Letopis() as client:
        demo_login(client.provider, client.logins, "irina")
        yield client


def said(capsys):
    return capsys.readouterr().out


class TestExplain:
    def test_every_refusal_names_rule_owner_and_remedy(self, played, irina, capsys):
        """A26: a request is bound to a purpose; any denial returns rule, owner and how to proceed; the catalogue and
        `explain` tell the same.
        """
        query = {"sql": "SELECT status FROM panel LIMIT 1"}
        refused = played["anna"].refused("POST", "features", "/v1/queries", json=query)
        assert (refused.status, refused.rules) == (403, ["input.incomplete"])
        assert all(one["owner"] and one["message"] and one["remedy"] for one in refused.document["reasons"])
        rules = set()
        for ledger in OWNERS:
            for one in decisions(irina, ledger, 1, 10**9):
                result = one.authorization["result"]
                for rule in result["deny"]:
                    reason = result["reasons"][rule]
                    assert reason["owner"], one
                    assert reason["message"], one
                    assert reason["remedy"], one
                    rules.add(rule)
        assert rules > {"role.not_granted", "input.incomplete", "personal.no_grant"}
        # What the door refuses before any room is asked stands in no room's catalogue.
        catalogue = irina.registry.get("/v1/policy")
        known = {one["rule"] for one in catalogue["rules"]}
        gate = {"delegation.in_person", "role.not_granted", "input.incomplete", "action.unknown", "obligation.unknown"}
        assert {rule for rule in rules if not rule.startswith("policy.")} <= known | gate
        assert policies.explain(refused.document["authorization_id"]) == 0
        told = said(capsys)
        assert "anna asked for features.query.run" in told
        assert "refused by input.incomplete" in told
        assert "do: state what is missing" in told
        assert "the same, bit for bit" in told

    def test_a_decision_is_explained_by_its_position_and_under_its_lease(self, played, irina, capsys):
        page = irina.inference.download("/v1/ledgers/decisions/facts", after=0, limit=2000)
        made = next(one for one in map(json.loads, page.splitlines()) if one["type"] == "decisions.decision.made")
        assert policies.explain(f"decisions/{made['position']}") == 0
        told = said(capsys)
        assert "under lease" in told
        assert "policy" in told
        assert "said yes" in told
        assert "the same, bit for bit" in told

    def test_an_action_is_explained_before_anybody_asks(self, irina, capsys):
        assert policies.explain("registry.promotion.approve", login="irina") == 0
        told = said(capsys)
        assert "refused by role.not_granted" in told
        assert "prevent four_eyes.self_approval" in told
        assert "owner: " in told


class TestReplay:
    @pytest.mark.parametrize("ledger", ["registry", "features", "access", "inference"])
    def test_all_decisions_of_a_ledger_come_out_the_same(self, irina, capsys, ledger):
        assert policies.replay_all(ledger) == 0, said(capsys)
