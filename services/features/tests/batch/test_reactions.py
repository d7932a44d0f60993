"""A batch goes online although the store was away, or the process died, when it was committed."""

import dataclasses

from letopis.common.projecting import Told
from letopis.features.batch.reactions import PutOnline
from letopis.features.online.store import OnlineStore


async def test_what_was_committed_while_the_store_was_away_goes_online_later(stocked):
    resources = stocked.resources
    away = OnlineStore("redis://127.0.0.1:9")
    stocked.app.state.resources = dataclasses.replace(
        resources, materialiser=dataclasses.replace(resources.materialiser, online=away)
    )
    receipt = await stocked.done("/v1/batches", "anna", {"view_id": "behaviour.1", "as_of": "2005-07-01T00:00:00Z"})
    assert not await resources.materialiser.is_online(receipt["id"])
    ((record, batch),) = await stocked.facts("features", "features.batch.committed")
    react, told = PutOnline(resources.materialiser), Told(record=record, fact=batch)
    await react(told)
    assert await resources.materialiser.is_online(receipt["id"])
    await react(told)
    assert len(await stocked.facts("features", "features.batch.materialised")) == 1
    answer = await stocked.post("/v1/online/credit.1", "bank-app", {"entities": ["1"]})
    assert set(answer.json()["entities"][0]["status"]) == {"PRESENT"}
    await away.close()
