"""Files are scored by the same pipeline: the same scores, every row accounted for, resumable."""

import asyncio
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from letopis.common.database import open_engine
from letopis.common.errors import Unavailable
from letopis.inference.contract import DECISIONS, ChunkScored, DecisionMade
from letopis.inference.job import runner as runner_module
from letopis.inference.job.turn import JobTurn
from letopis.inference.scoring.lookup import FeaturesAway


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


async def deployed(bank: Any, flavour: str) -> None:
    version_id = await bank.registry.register(1, flavour)
    await bank.registry.promote(version_id)
    assert (await bank.deploy(version_id)).status_code == 201


async def started(bank: Any, data: bytes, **changed: Any) -> Any:
    brought = await bank.ask("POST", "/v1/files", content=data)
    assert brought.status_code == 201, brought.text
    body = {"application": "credit", "source_sha256": brought.json()["sha256"]} | changed
    return await bank.ask("POST", "/v1/jobs", json=body)


async def ended(bank: Any, job_id: str) -> dict[str, Any]:
    """Waits for the job's last fact."""
    from letopis.common.following import OwnLedger

    ledger = OwnLedger(bank.resources.store, "inference", bank.resources.news)
    async with asyncio.timeout(30):
        while len(await bank.resources.store.load("inference", f"job:{job_id}")) < 2:
            await ledger.wait(ledger.known, 0.2)
    await bank.settle()
    told: dict[str, Any] = (await bank.ask("GET", f"/v1/jobs/{job_id}")).json()
    return told


async def facts(bank: Any) -> list[Any]:
    await bank.shipped()
    records = await bank.decisions()
    return [DECISIONS.decode(one.type, one.schema_version, one.data) for one in records if DECISIONS.knows(one.type)]


class TestBatch:
    @pytest.mark.parametrize("flavour", ["xgboost", "sklearn"])
    async def test_scores_equal_those_of_single_requests(
        self, bank: Any, clients: list[dict[str, Any]], flavour: str
    ) -> None:
        """C18: the same version in both modes gives identical scores for the same rows."""
        await deployed(bank, flavour)
        answer = await started(bank, parquet(clients), as_of="2005-05-31T00:00:00Z")
        assert answer.status_code == 201, answer.text
        job = await ended(bank, answer.json()["id"])
        assert (job["state"], job["rows"], job["scored"], job["refused"]) == ("completed", 2000, 2000, 0)
        file = await bank.ask("GET", f"/v1/jobs/{job['job_id']}/scores", "irina")
        table = pq.read_table(BytesIO(file.content)).to_pylist()
        assert [line["account_id"] for line in table] == [row["account_id"] for row in clients]
        single = [(await bank.score(row)).json() for row in clients[::50]]
        assert [line["score"] for line in table[::50]] == [one["score"] for one in single]
        assert [line["decision"] for line in table[::50]] == [one["decision"] for one in single]
        made = [one for one in await facts(bank) if isinstance(one, DecisionMade) and one.kind == "batch"]
        assert [one.score for one in made] == [line["score"] for line in table]
        assert {one.as_of.isoformat() for one in made if one.as_of} == {"2005-05-31T00:00:00+00:00"}

    async def test_rows_that_cannot_be_scored_are_refused_one_by_one(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank, "xgboost")
        rows = [dict(row) for row in clients[:10]]
        rows[3]["age"] = None
        rows[5]["pay_amt"] = float("nan")
        rows[7]["limit_bal"] = float("inf")
        job = await ended(bank, (await started(bank, parquet(rows))).json()["id"])
        assert (job["scored"], job["refused"]) == (8, 2)
        file = await bank.ask("GET", f"/v1/jobs/{job['job_id']}/scores")
        table = pq.read_table(BytesIO(file.content)).to_pylist()
        assert [line["row"] for line in table if line["score"] is None] == [3, 7]

    async def test_a_file_that_does_not_fit_is_refused_with_its_columns(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank, "xgboost")
        rows = [
            {**{name: value for name, value in row.items() if name != "age"}, "colour": "red"} for row in clients[:3]
        ]
        answer = await started(bank, parquet(rows))
        assert answer.status_code == 422
        assert "colour" in answer.json()["detail"]
        assert "age" in answer.json()["detail"]
        assert (await started(bank, b"no parquet")).status_code == 422

    async def test_an_ungranted_consumer_starts_no_job(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        await deployed(bank, "xgboost")
        brought = await bank.ask("POST", "/v1/files", content=parquet(clients[:3]))
        body = {"application": "credit", "source_sha256": brought.json()["sha256"]}
        assert (await bank.ask("POST", "/v1/jobs", "call-centre", json=body)).status_code == 403

    async def test_a_path_is_taken_from_the_allowed_folder_only(
        self, bank: Any, settings: Any, clients: list[dict[str, Any]]
    ) -> None:
        await deployed(bank, "xgboost")
        settings.files_dir.mkdir()
        (settings.files_dir / "may.parquet").write_bytes(parquet(clients[:20]))
        body = {"application": "credit", "path": "may.parquet"}
        answer = await bank.ask("POST", "/v1/jobs", json=body)
        assert (await ended(bank, answer.json()["id"]))["scored"] == 20
        escape = await bank.ask("POST", "/v1/jobs", json=body | {"path": "../registry.pub"})
        assert escape.status_code == 404


class TestResume:
    async def test_a_second_try_in_the_same_worker_decides_no_row_twice(
        self, bank: Any, clients: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Features went away between two chunks; what the journal holds is not scored again."""
        await deployed(bank, "xgboost")
        scored, calls = runner_module.score_chunk, []

        def faltering(servable: Any, asked: Any, chunk: Any, *rest: Any) -> Any:
            calls.append(chunk.number)
            if calls.count(1) == 1 and chunk.number == 1:
                raise FeaturesAway
            return scored(servable, asked, chunk, *rest)

        monkeypatch.setattr(runner_module, "score_chunk", faltering)
        monkeypatch.setattr(runner_module, "PAUSE", 0)
        job = await ended(bank, (await started(bank, parquet(clients))).json()["id"])
        assert (job["scored"], calls) == (2000, [0, 1, 1])
        made = [one for one in await facts(bank) if isinstance(one, DecisionMade)]
        assert sorted(one.row for one in made if one.row is not None) == list(range(2000))

    async def test_only_one_worker_runs_jobs(self, bank: Any, settings: Any) -> None:
        engine = open_engine(settings.database_url)
        turn = JobTurn(engine)
        with pytest.raises(Unavailable):
            await turn.check()
        waiting = asyncio.create_task(turn.held().__aenter__())
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        waiting.cancel()
        await asyncio.wait([waiting])
        await engine.dispose()

    async def test_goes_on_behind_the_last_durable_chunk(
        self, bank: Any, reopen: Any, clients: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that dies in the middle leaves whole chunks; the next one decides each row once."""
        await deployed(bank, "xgboost")
        scored = runner_module.score_chunk

        def dying(servable: Any, asked: Any, chunk: Any, *rest: Any) -> Any:
            if chunk.number == 1:
                raise SystemError("the worker dies here")
            return scored(servable, asked, chunk, *rest)

        monkeypatch.setattr(runner_module, "score_chunk", dying)
        job_id = (await started(bank, parquet(clients))).json()["id"]
        async with asyncio.timeout(20):
            while not any(isinstance(one, ChunkScored) for one in await facts(bank)):
                await bank.resources.news.after("decisions", bank.resources.news.last("decisions"), 0.2)
        monkeypatch.setattr(runner_module, "score_chunk", scored)
        bank.resources.journal.close()
        async with reopen() as again:
            job = await ended(again, job_id)
            assert (job["state"], job["scored"]) == ("completed", 2000)
            made = [one for one in await facts(again) if isinstance(one, DecisionMade)]
            assert sorted(one.row for one in made if one.row is not None) == list(range(2000))
            assert [one.chunk for one in await facts(again) if isinstance(one, ChunkScored)] == [0, 1]
            file = await again.ask("GET", f"/v1/jobs/{job_id}/scores")
            table = pq.read_table(BytesIO(file.content)).to_pylist()
            assert [line["account_id"] for line in table] == [row["account_id"] for row in clients]
            assert [line["score"] for line in table] == [
                one.score for one in sorted(made, key=lambda one: one.row or 0)
            ]
