"""Every read model is a fold: any cuts and a rebuild end in the same rows, those in the database included."""

import json

import pytest
from sqlalchemy import select

from letopis.common.testing.views import check_view
from letopis.features.app import Directory, PolicyInForce
from letopis.features.worker import VIEWS

SPINE = "SELECT account_id, month + INTERVAL 1 MONTH AS as_of, label FROM panel WHERE month = DATE '2005-06-01'"
DATASET = {
    "name": "June",
    "bundle_id": "credit.1",
    "spine_sql": SPINE,
}


@pytest.fixture
async def history(stocked):
    """One of everything."""
    dataset = await stocked.done("/v1/datasets", "anna", DATASET)
    await stocked.done("/v1/datasets", "anna", DATASET)
    await stocked.done(f"/v1/datasets/{dataset['id']}/verify", "irina", {})
    await stocked.done("/v1/batches", "anna", {"view_id": "behaviour.1", "as_of": "2005-07-01T00:00:00Z"})
    for sql, by in (("SELECT bill FROM panel", "anna"), ("SELECT email FROM people", "oleg"), ("DROP TABLE x", "oleg")):
        await stocked.post("/v1/queries", by, {"sql": sql})
    await stocked.post("/v1/queries", "anna", {"sql": "SELECT CAST(email AS INTEGER) AS n FROM people"})
    assert (await stocked.post("/v1/online/credit.1", "bank-app", {"entities": ["1", "x"]})).status_code == 200
    await stocked.resources.counts.flush()
    id = await stocked.grant("Boris", {"panel": ["bill"]})
    await stocked.done(f"/v1/grants/{id}/revocation", "pavel", {"reason": "over"})
    await stocked.settle()
    return stocked


async def test_incremental_equals_rebuilt_equals_stored(history):
    records = [
        one for ledger in ("features", "access") for one in await history.resources.store.read(ledger, 0, 10_000)
    ]
    for view in VIEWS:
        if view in {Directory, PolicyInForce}:
            continue
        content = check_view(view, records, tries=5)
        for table in view.tables():
            stored = await history.resources.views.rows(view, select(table))
            folded = content.get(table.name, {}).values()
            assert sorted(map(plain, stored)) == sorted(map(plain, folded)), table.name
            assert stored, table.name


def plain(row):
    return json.dumps(dict(row), sort_keys=True, default=str)
