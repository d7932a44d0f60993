"""A decision scored once more: the same bits from the pinned version; another artifact or record shows."""

from typing import Any

import pytest

from letopis.inference.contract import CONTRACT

PURPOSE = {"Letopis-Purpose": "complaint"}


async def decided(bank: Any, clients: list[Any]) -> str:
    await bank.registry.promote(await bank.registry.register(1))
    assert (await bank.deploy("credit-default.1")).status_code == 201
    decision_id: str = (await bank.score(clients[0])).json()["decision_id"]
    await bank.settle()
    return decision_id


class TestRescore:
    async def test_gives_the_same_bits_and_is_recorded(self, bank: Any, clients: list[Any]) -> None:
        decision_id = await decided(bank, clients)
        path = f"/v1/decisions/{decision_id}/replays"
        assert (await bank.ask("POST", path, "olga", headers=PURPOSE)).status_code == 403
        answer = await bank.ask("POST", path, "irina", headers=PURPOSE)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["equal"]
        assert told["recorded_bits"] == told["rescored_bits"]
        assert float.fromhex(float(told["recorded"]).hex()) == told["rescored"]
        records = await bank.resources.store.read("inference", 0, 100)
        (fact,) = [one for one in records if one.type == "inference.decision.rescored"]
        assert CONTRACT.decode(fact.type, fact.schema_version, fact.data).equal
        assert "limit_bal" not in answer.text

    async def test_another_model_under_the_same_name_shows(
        self, bank: Any, clients: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The difference is told in bits when what is loaded is not what decided."""
        decision_id = await decided(bank, clients)
        from letopis.inference.scoring.model import XGBoostScorer

        real = XGBoostScorer.score
        monkeypatch.setattr(XGBoostScorer, "score", lambda self, rows: real(self, rows) + 2**-40)
        told = (await bank.ask("POST", f"/v1/decisions/{decision_id}/replays", "irina", headers=PURPOSE)).json()
        assert not told["equal"]
        assert told["recorded_bits"] != told["rescored_bits"]

    async def test_of_no_decision_is_not_found(self, bank: Any) -> None:
        path = "/v1/decisions/01990000-0000-7000-8000-000000000000/replays"
        assert (await bank.ask("POST", path, "irina", headers=PURPOSE)).status_code == 404
