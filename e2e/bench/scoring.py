"""Scoring with everything on (identity, policy, journal synced before each answer) beside a hand-written endpoint.

Both serve the same XGBoost model on this machine, one process each, and both have the answer durable before it
leaves: ours in the journal, the peer's as one INSERT in the same PostgreSQL.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
from e2e.bench.load import Measured, load, request
from e2e.bench.report import Row, row

from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta, encode_meta
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.handling import new_fact
from letopis.common.ids import uuid7
from letopis.common.objects import ObjectStore
from letopis.common.serialization import canonical
from letopis.common.testing.sealing import sealer
from letopis.local.postgres.server import SUPERUSER
from letopis.registry.contract import (
    CONTRACT,
    PrincipalRegistered,
    ProductionEntered,
    PromotionCompleted,
    RoleGranted,
    VersionRegistered,
)
from letopis.registry.version.signing import Signer

ROOT = Path(__file__).parents[2]
BASE = 27400
INPUTS = [f"x{number}" for number in range(23)]
# Under a minute and a half also where others keep the machine busy.
SINGLE, MANY, CONNECTIONS, ROUNDS, BATCH = 400, 1_600, 16, 3, 20_000
PURPOSE = "credit decisions"


def measure() -> list[Row]:
    """Single scores beside the hand-written endpoint, and a file as a job."""
    with tempfile.TemporaryDirectory(prefix="letopis-bench-") as folder, _stack(Path(folder)) as data:
        model = _model()
        asyncio.run(_tell_registry(data, model))
        ours = _deploy(data)
        rows = [dict(zip(INPUTS, map(float, values), strict=True)) for values in _rows(500)]
        bodies = [json.dumps({"account_id": str(number)} | one).encode() for number, one in enumerate(rows)]
        return [*_online(data, model, bodies, ours), _batch(ours)]


def _online(data: Path, model: bytes, bodies: list[bytes], ours: dict[str, str]) -> list[Row]:
    headers = {"Authorization": f"Bearer {ours['token']}", "Letopis-Purpose": PURPOSE}
    sent = [request("/v1/score/bench/v1", body, headers) for body in bodies]
    plain = [request("/score", body, {}) for body in bodies]
    mine, theirs = [], []
    with _peer(data, model) as port:
        for connections in (1, CONNECTIONS):
            # Taking turns, so that whatever else the machine does falls on both; the middle round counts.
            rounds = [(_round(BASE + 3, sent, connections), _round(port, plain, connections)) for _ in range(ROUNDS)]
            for told, side in zip(zip(*rounds, strict=True), (mine, theirs), strict=True):
                side.append(sorted(told, key=lambda one: one.quantile(0.5))[ROUNDS // 2])
    name = "hand-written FastAPI with one durable INSERT"
    p50 = [one.quantile(0.5) * 1000 for one in (mine[0], theirs[0])]
    rate = [one.rate for one in (mine[1], theirs[1])]
    p99 = [one.quantile(0.99) * 1000 for one in (mine[1], theirs[1])]
    return [
        row("single score, 1 connection, p50", p50[0], "ms", name, p50[1]),
        row(f"single score, {CONNECTIONS} connections", rate[0], "requests/s", name, rate[1]),
        row(f"single score, {CONNECTIONS} connections, p99", p99[0], "ms", name, p99[1]),
    ]


def _batch(ours: dict[str, str]) -> Row:
    """A Parquet file as a job: until every row's decision is durable and the scores lie in the object store."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = _rows(BATCH)
    columns = {"account_id": [str(number) for number in range(BATCH)]}
    file = BytesIO()
    pq.write_table(pa.table(columns | {name: values[:, place] for place, name in enumerate(INPUTS)}), file)
    headers = {"Authorization": f"Bearer {ours['token']}", "Letopis-Purpose": PURPOSE}
    with httpx.Client(base_url=f"http://127.0.0.1:{BASE + 3}", headers=headers, timeout=60) as client:
        sha = client.post("/v1/files", content=file.getvalue()).raise_for_status().json()["sha256"]
        began = time.perf_counter()
        started = client.post("/v1/jobs", json={"application": "bench", "source_sha256": sha}).raise_for_status()
        job = _until(lambda: _ended(client, started.json()["id"]), 120)
        seconds = time.perf_counter() - began
    if job["scored"] != BATCH:
        raise RuntimeError(f"{job['scored']} of {BATCH} rows scored: {job['note']}")
    return row(f"job of {BATCH:,} rows, Parquet to Parquet, every decision recorded", BATCH / seconds, "rows/s")


def _ended(client: httpx.Client, job_id: str) -> dict[str, Any] | None:
    answer = client.get(f"/v1/jobs/{job_id}")
    return answer.json() if answer.status_code == 200 and answer.json()["state"] != "running" else None


def _round(port: int, requests: list[bytes], connections: int) -> Measured:
    async def measured() -> Measured:
        await load(port, requests, connections=connections, count=connections * 20)
        return await load(port, requests, connections=connections, count=SINGLE if connections == 1 else MANY)

    return asyncio.run(measured())


@contextmanager
def _stack(data: Path) -> Iterator[Path]:
    options = ["--data-dir", str(data), "--port-base", str(BASE), "--profile", "demo", "--no-mlflow"]
    argv = [sys.executable, "-m", "letopis.local", "up", *options, "--services", "registry,inference"]
    with (data / "bench.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=ROOT)
    try:
        for port in (BASE + 1, BASE + 3):
            _until(lambda port=port: _answers(f"http://127.0.0.1:{port}/readyz"), 60)
        yield data
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@contextmanager
def _peer(data: Path, model: bytes) -> Iterator[int]:
    path, port = data / "peer.json", BASE + 50
    path.write_bytes(model)
    password = (data / "secrets" / "postgres_password").read_text("ascii")
    with psycopg.connect(_url(SUPERUSER, password, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE peer")
    url = _url(SUPERUSER, password, "peer").replace("postgresql://", "postgresql+psycopg://")
    argv = [sys.executable, "-m", "e2e.bench.peer", str(port), str(path), ",".join(INPUTS)]
    process = subprocess.Popen(argv, env=os.environ | {"PEER_URL": url}, cwd=ROOT)
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}/openapi.json"), 30)
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def _tell_registry(data: Path, model: bytes) -> None:
    """The registry's facts of a promoted version, as if people had gone the whole way."""
    signer = Signer.from_file(data / "secrets" / "registry.signing_key")
    sha = ObjectStore((data / "objects").as_uri()).put(model)
    manifest = {
        "format": "letopis-manifest-v1",
        "model": "bench",
        "flavour": "xgboost",
        "artifacts": [{"path": "model.json", "sha256": sha, "bytes": len(model)}],
        "signature": {
            "inputs": [{"name": name, "type": "double", "required": True} for name in INPUTS],
            "outputs": [{"name": "score", "type": "double"}],
        },
        "features": {"bundle": None, "entity": "account_id"},
        "monitors": ["none but the bench"],
        "cutoff": 0.5,
    }
    digest = sha256(canonical(manifest)).hexdigest()
    common: dict[str, Any] = {"promotion_id": "bench", "version_id": "bench.1", "model_id": "bench"}
    people = {"bank-app": "consumer", "olga": "operator"}
    facts: list[object] = [
        fact
        for login, role in people.items()
        for fact in (
            PrincipalRegistered(
                login=login, person=login, name=login, kind="service", organisation="bench", until=None
            ),
            RoleGranted(login=login, role=role),
        )
    ]
    facts += [
        VersionRegistered(
            version_id="bench.1",
            model_id="bench",
            model_name="bench",
            number=1,
            digest=digest,
            manifest=manifest,
            author="somebody else",
            signature=signer.sign(digest),
            key_id=signer.key_id,
        ),
        PromotionCompleted(
            **common,
            version_digest=digest,
            environment_digest="",
            stage="production",
            tier=3,
            approvers=("bench",),
            at=datetime.now(UTC),
        ),
        ProductionEntered(**common, version_digest=digest, replaces=None),
    ]
    password = (data / "secrets" / "registry.app_password").read_text("ascii")
    engine = open_engine(_url("letopis_registry_app", password, "letopis_registry"), autocommit=True)
    meta = encode_meta(Meta(actor=Actor(service="bench")))
    store = PostgresEventStore(engine)
    await store.append_batch(
        "registry", uuid7(), 1, [new_fact(CONTRACT, fact, meta, sealer("registry")) for fact in facts]
    )
    await engine.dispose()


def _deploy(data: Path) -> dict[str, str]:
    """Deploy as Olga and give back the application's token."""
    issuer = f"http://127.0.0.1:{BASE + 6}"
    grant = {
        "grant_type": "urn:letopis:params:oauth:grant-type:demo",
        "client_id": "letopis-cli",
        "login": "olga",
    }
    with httpx.Client(timeout=30, trust_env=False) as client:
        olga = client.post(f"{issuer}/token", data=grant).raise_for_status().json()["access_token"]
        body = {"application": "bench", "version_id": "bench.1", "consumers": ["bank-app"]}
        headers = {"Authorization": f"Bearer {olga}", "Letopis-Purpose": PURPOSE}
        url = f"http://127.0.0.1:{BASE + 3}/v1/deployments"
        _until(lambda: client.post(url, json=body, headers=headers).status_code == 201, 30)
        secret = (data / "secrets" / "bank-app.client_secret").read_text("ascii")
        answer = client.post(f"{issuer}/token", data={"grant_type": "client_credentials"}, auth=("bank-app", secret))
        return {"token": answer.raise_for_status().json()["access_token"]}


def _model() -> bytes:
    import xgboost

    rows = _rows(20_000)
    label = (rows[:, 0] + rows[:, 1] > 0.5).astype(int)
    matrix = xgboost.DMatrix(rows, label=label, feature_names=INPUTS)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "nthread": 2}, matrix, 300)
    return bytes(booster.save_raw("json"))


def _rows(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, len(INPUTS)))


def _url(user: str, password: str, database: str) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{BASE + 9}/{database}"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _until(ask: Any, seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds:g} s")
        time.sleep(0.05)
    return answer
