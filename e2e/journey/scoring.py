"""Acts: deployment, months scored from files, single requests over HTTP, outcomes one month late."""

from datetime import date
from typing import Any

import pyarrow as pa
from e2e.journey.data import FEATURES, MONTHS, PURPOSE, Prepared, panel, parquet
from e2e.journey.people import CONSUMER
from e2e.journey.world import World

APPLICATION = "cards"
AT_ONCE = 10_000


def moment(month: str) -> str:
    """The business time of a month's rows."""
    return f"{month}T00:00:00Z"


def deploy(world: World, version_id: str) -> None:
    """Olga, who wrote nothing of it, deploys; the application follows what is in production."""
    body = {"application": APPLICATION, "api_version": "v1", "version_id": version_id, "consumers": [CONSUMER]}
    world.until("the promotion to reach inference", lambda: _deployed(world, body), 30)
    world.tell("Olga", f"deploys {version_id} as /v1/score/{APPLICATION}/v1 for {CONSUMER}")


def _deployed(world: World, body: dict[str, Any]) -> bool:
    world["olga"].post("inference", "/v1/deployments", body)
    return True


def score_month(world: World, month: str) -> dict[str, Any]:
    """The bank hands in a file of the month; every row becomes a recorded decision. The finished job."""
    table = panel(world.accounts, month).select(["account_id", *FEATURES])
    table = table.set_column(0, "account_id", table["account_id"].cast(pa.string()))
    bank = world[CONSUMER]
    headers = {"content-type": "application/vnd.apache.parquet"}
    brought = bank.send("POST", "inference", "/v1/files", content=parquet(table), headers=headers).json()
    body = {
        "application": APPLICATION,
        "api_version": "v1",
        "source_sha256": brought["sha256"],
        "as_of": moment(month),
    }
    job_id = bank.post("inference", "/v1/jobs", body, purpose=PURPOSE)["id"]

    def ended() -> Any:
        job = bank.get("inference", f"/v1/jobs/{job_id}")
        return job if job["state"] in {"completed", "failed"} else None

    job: dict[str, Any] = world.until(f"scores of {month}", ended)
    if job["state"] != "completed":
        raise AssertionError(f"scoring {month} failed: {job['note']}")
    return job


def score_one(world: World, account: int, *, explain: bool = False) -> dict[str, Any]:
    """One request over HTTP: the account's number alone; its features are looked up online."""
    path = f"/v1/score/{APPLICATION}/v1" + ("?explain=true" if explain else "")
    answer: dict[str, Any] = world[CONSUMER].post("inference", path, {"account_id": str(account)}, purpose=PURPOSE)
    return answer


def go_online(world: World, prepared: Prepared, month: str) -> None:
    """The features of a month become the values that single requests look up."""
    body = {"view_id": prepared.view_id, "as_of": moment(month)}
    world["anna"].post("features", "/v1/batches", body, purpose=PURPOSE)


def outcomes(world: World, month: str) -> int:
    """What became of a month's accounts, known when the next month has ended; how many rows."""
    table = panel(world.accounts, month)
    year, number = int(month[:4]), int(month[5:7]) + 1
    known = date(year, number, 28).isoformat() + "T00:00:00Z"
    rows = [
        {"entity_id": str(account), "as_of": moment(month), "label": label, "known_at": known}
        for account, label in zip(table["account_id"].to_pylist(), table["label"].to_pylist(), strict=True)
    ]
    for begin in range(0, len(rows), AT_ONCE):
        body = {"entity": "account_id", "rows": rows[begin : begin + AT_ONCE]}
        world[CONSUMER].post("monitoring", "/v1/outcomes", body)
    return len(rows)


def scored_before(month: str) -> str | None:
    """The month before, if there is one in the panel."""
    place = MONTHS.index(month)
    return MONTHS[place - 1] if place else None
