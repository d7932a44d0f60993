"""What a team writes by hand: FastAPI, XGBoost, one durable INSERT an answer; no identity, no policy, no chain."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import numpy as np
import uvicorn
import xgboost
from fastapi import FastAPI
from pydantic import create_model
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

TABLE = "CREATE TABLE IF NOT EXISTS decision (id uuid PRIMARY KEY, inputs jsonb, score float8, at timestamptz)"
INSERT = text("INSERT INTO decision VALUES (:id, CAST(:inputs AS jsonb), :score, now())")


def create_app(url: str, model: str, names: list[str]) -> FastAPI:
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(model)
    booster.feature_names = None
    engine = create_async_engine(url, pool_size=16, isolation_level="AUTOCOMMIT")
    row = create_model("Row", account_id=(str, ...), **dict.fromkeys(names, (float, ...)))

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with engine.connect() as connection:
            await connection.execute(text(TABLE))
        yield
        await engine.dispose()

    app = FastAPI(lifespan=life)

    @app.post("/score")
    async def score(body: row) -> dict[str, Any]:  # type: ignore[valid-type]
        values = body.model_dump()  # type: ignore[attr-defined]
        told = float(booster.inplace_predict(np.array([[values[name] for name in names]]))[0])
        decision_id = uuid4()
        async with engine.connect() as connection:
            await connection.execute(INSERT, {"id": decision_id, "inputs": json.dumps(values), "score": told})
        return {"decision_id": str(decision_id), "score": told, "decision": "refuse" if told >= 0.5 else "accept"}

    return app


if __name__ == "__main__":
    app = create_app(os.environ["PEER_URL"], sys.argv[2], sys.argv[3].split(","))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="error")
