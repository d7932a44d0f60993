"""Every read model of inference is a keyed fold: cuts, interleavings and rebuilds end in the same rows."""

import asyncio
from typing import Any

import pytest

from letopis.common.testing.views import check_view
from letopis.inference.decision.views import DecisionIndex
from letopis.inference.deployment.views import DeploymentSummary, KnownVersion
from letopis.inference.job.views import JobSummary


@pytest.fixture
async def history(bank: Any, clients: list[dict[str, Any]]) -> list[Any]:
    """All ledgers after a life of deployments, decisions and a job."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, second = await bank.registry.register(1), await bank.registry.register(2, "sklearn")
    third = await bank.registry.register(3, monitors=[])
    await bank.registry.promote(first)
    assert (await bank.deploy(first)).status_code == 201
    for row in clients[:5]:
        await bank.score(row)
    await bank.react(await bank.registry.promote(second, first))
    await bank.react(await bank.registry.roll_back(second, first))
    await bank.react(await bank.registry.promote(third, first))
    await bank.ask("POST", "/v1/deployments/credit.v1/consumers", "olga", json={"consumer": "call-centre"})
    await bank.ask("POST", "/v1/deployments/credit.v1/consumers/bank-app/revocations", "olga")
    files = bank.resources.settings.files_dir
    files.mkdir()
    pq.write_table(pa.Table.from_pylist(clients[:30]), files / "a.parquet")
    job = {"application": "credit", "path": "a.parquet"}
    assert (await bank.ask("POST", "/v1/jobs", "call-centre", json=job)).status_code == 201
    async with asyncio.timeout(20):
        while (last := await bank.resources.store.head("inference")) < 8:
            await bank.resources.news.after("inference", last, 0.2)
    await bank.ask("POST", "/v1/deployments/credit.v1/retirements", "olga", json={"reason": "over"})
    await bank.shipped()
    store = bank.resources.store
    return [
        *bank.registry.store.ledgers["registry"],
        *await store.read("inference", 0, 1000),
        *await store.read("decisions", 0, 1000),
    ]


async def test_folds_in_any_cut(history: list[Any]) -> None:
    known = check_view(KnownVersion, history)["known_version"]
    assert [row["in_production"] for row in known.values()] == [False, False, True]
    (deployment,) = check_view(DeploymentSummary, history)["deployment_summary"].values()
    assert (deployment["state"], deployment["consumers"]) == ("retired", ["call-centre"])
    (job,) = check_view(JobSummary, history)["job_summary"].values()
    assert (job["state"], job["scored"]) == ("completed", 30)
    assert len(check_view(DecisionIndex, history)["decision_index"]) == 35
