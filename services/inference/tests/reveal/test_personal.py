"""What of a request stands in the ledger: inputs sealed, opened by right and on record; no name, no words, no file."""

import asyncio
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from letopis.common.sealing import KeysAway
from letopis.inference.contract import CONTRACT, DECISIONS, DecisionRefused, DecisionRevealed

PURPOSE = {"Letopis-Purpose": "complaint"}


async def deployed(bank: Any) -> None:
    await bank.registry.promote(await bank.registry.register(1))
    assert (await bank.deploy("credit-default.1")).status_code == 201


async def stored(bank: Any) -> bytes:
    """Every byte of the ledger as it is stored, and of the journal."""
    await bank.shipped()
    records = await bank.resources.store.read("decisions", 0, 100_000)
    journal = bank.resources.journal.directory
    files = [path.read_bytes() for path in journal.iterdir() if path.suffix == ".seg"]
    return b"\n".join([*(record.data + record.meta for record in records), *files])


class TestSealed:
    async def test_inputs_stand_in_ledger_and_journal_sealed_alone(self, bank: Any, clients: list[Any]) -> None:
        await deployed(bank)
        row = clients[0] | {"limit_bal": 79161234567.0}
        assert (await bank.score(row)).status_code == 200
        assert b"79161234567" not in await stored(bank)
        records = [one for one in await bank.decisions() if one.type == "decisions.decision.made"]
        assert [b"79161234567" in one.data for one in records] == [True]

    async def test_a_reveal_needs_a_right_and_is_recorded_first(self, bank: Any, clients: list[Any]) -> None:
        await deployed(bank)
        decision_id = (await bank.score(clients[0])).json()["decision_id"]
        await bank.settle()
        path = f"/v1/decisions/{decision_id}"
        read = await bank.ask("GET", path, "irina", headers=PURPOSE)
        assert read.json()["data"]["inputs"].startswith("sealed.v1.")
        assert (await bank.ask("POST", f"{path}/reveals", "olga", headers=PURPOSE)).status_code == 403
        shown = await bank.ask("POST", f"{path}/reveals", "irina", headers=PURPOSE)
        assert shown.status_code == 201
        assert shown.json()["inputs"] == {name: value for name, value in clients[0].items() if name != "account_id"}
        records = await bank.resources.store.read("inference", 0, 100)
        told = [one for one in records if one.type == "inference.decision.revealed"]
        (fact,) = [CONTRACT.decode(one.type, one.schema_version, one.data) for one in told]
        assert fact == DecisionRevealed(
            decision_id=decision_id, subject="account_id:0", fields=("inputs",), erased=False, by="Irina"
        )
        assert b'"purpose":"complaint"' in told[0].meta

    async def test_a_subject_whose_key_is_not_held_is_refused_while_the_store_is_away(
        self, bank: Any, clients: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The stop table: the key store is away; held keys serve on, another subject gets 503 and no decision."""
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        ring = bank.resources.keyring

        async def away(*_: Any) -> Any:
            raise KeysAway

        for name in ("issue", "destroyed"):
            monkeypatch.setattr(type(ring.store), name, away)
        ring._free.clear()
        assert (await bank.score(clients[0])).status_code == 200
        refused = await bank.score(clients[1])
        assert (refused.status_code, refused.json()["code"]) == (503, "sealing.keys_away")
        await bank.shipped()
        made = [one for one in await bank.decisions() if one.type == "decisions.decision.made"]
        assert len(made) == 2


class TestRefused:
    @pytest.mark.parametrize("name", ["4111111111111111", "+7 916 123-45-67", "Anna Ivanova"])
    async def test_a_client_is_not_named_by_a_card_a_phone_or_a_name(
        self, bank: Any, clients: list[Any], name: str
    ) -> None:
        await deployed(bank)
        answer = await bank.score(clients[0] | {"account_id": name})
        assert answer.status_code == 422
        assert "pseudonym" in answer.text
        assert name.encode() not in await stored(bank)
        (refused,) = [one for one in await bank.decisions() if one.type == "decisions.decision.refused"]
        fact = DECISIONS.decode(refused.type, refused.schema_version, refused.data)
        assert isinstance(fact, DecisionRefused)
        assert fact.problems[0].field == "account_id"

    async def test_words_of_the_caller_are_not_recorded(self, bank: Any, clients: list[Any]) -> None:
        await deployed(bank)
        answer = await bank.score(clients[0] | {"Anna Ivanova 79161234567": 1, "age": "Anna Ivanova"})
        assert answer.status_code == 422
        assert "Anna Ivanova 79161234567" in answer.text
        kept = await stored(bank)
        assert b"Anna" not in kept
        assert b"79161234567" not in kept


class TestFile:
    async def test_is_deleted_when_its_job_has_ended_and_bad_rows_name_nobody(
        self, bank: Any, clients: list[Any]
    ) -> None:
        await deployed(bank)
        rows = [clients[0], clients[1] | {"account_id": "4111111111111111"}, clients[2] | {"age": 79161234567.0}]
        buffer = BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), buffer, compression="none")
        brought = await bank.ask("POST", "/v1/files", content=buffer.getvalue())
        sha = brought.json()["sha256"]
        assert bank.resources.brought.has(sha)
        body = {"application": "credit", "api_version": "v1", "source_sha256": sha}
        job_id = (await bank.ask("POST", "/v1/jobs", json=body)).json()["id"]
        async with asyncio.timeout(60):
            while bank.resources.brought.has(sha):
                await bank.resources.news.after("inference", bank.resources.news.last("inference"), 0.1)
        await bank.settle()
        job = (await bank.ask("GET", f"/v1/jobs/{job_id}")).json()
        assert (job["state"], job["scored"], job["refused"]) == ("completed", 2, 1)
        scores = await bank.ask("GET", f"/v1/jobs/{job_id}/scores")
        assert pq.read_table(BytesIO(scores.content))["account_id"].to_pylist() == ["0", "", "2"]
        objects = bank.resources.objects.root
        held = b"".join([await stored(bank), *(one.read_bytes() for one in objects.rglob("*") if one.is_file())])
        assert b"4111111111111111" not in held
        assert b"79161234567" not in held
