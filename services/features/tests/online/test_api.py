"""Online reads over real parts: equal to offline, leased, counted (A21)."""

import asyncio
import dataclasses
from io import BytesIO

import pyarrow.parquet as pq

from letopis.common.envelope import Actor, Meta
from letopis.features.batch.materialising import load, state_digest
from letopis.features.online.store import OnlineStore

BUNDLE = "/v1/online/credit.1"


async def batch(shop, as_of="2005-07-01T00:00:00Z", view_id="behaviour.1"):
    return await shop.done("/v1/batches", "anna", {"view_id": view_id, "as_of": as_of})


async def read(shop, *entities, by="bank-app", path=BUNDLE, **options):
    return await shop.post(path, by, {"entities": list(entities)}, **options)


class TestMaterialise:
    async def test_online_equals_offline(self, stocked):
        await batch(stocked)
        spine = "SELECT DISTINCT account_id, TIMESTAMP '2005-07-01' AS as_of FROM panel"
        offline = await stocked.done("/v1/datasets", "anna", {"name": "x", "bundle_id": "credit.1", "spine_sql": spine})
        data = stocked.resources.objects.get(offline["facts"][0]["data"]["files"][0]["sha256"])
        rows = pq.read_table(BytesIO(data)).to_pylist()
        answer = (await read(stocked, *(str(row["account_id"]) for row in rows))).json()
        assert len(rows) == 20
        for row, entity in zip(rows, answer["entities"], strict=True):
            assert entity["values"] == [row[name] for name in answer["features"]]
            assert set(entity["status"]) == {"PRESENT"}
            assert entity["event_times"][0] == "2005-06-01T00:00:00+00:00"
            assert entity["known_times"][0] == "2005-07-01T00:00:00+00:00"

    async def test_an_older_batch_does_not_overwrite(self, stocked):
        await batch(stocked, "2005-08-01T00:00:00Z")
        told = (await read(stocked, "1")).json()
        await batch(stocked, "2005-06-01T00:00:00Z")
        assert (await read(stocked, "1")).json() == told
        batches = (await stocked.get("/v1/batches", "anna")).json()
        assert [(one["rows"], one["written"]) for one in batches] == [(20, 0), (20, 20)]

    async def test_what_was_lost_comes_back_from_the_batch_alone(self, stocked):
        receipt = await batch(stocked)
        told = (await read(stocked, "1", "2")).json()
        store = stocked.resources.online
        for account in range(1, 21):
            await store._client.delete(f"letopis:online:behaviour.1:{account}")
        assert set((await read(stocked, "1")).json()["entities"][0]["status"]) == {"MISSING"}
        (_, committed), (_, before) = await stocked.facts(
            "features", "features.batch.committed", "features.batch.materialised"
        )
        await stocked.resources.materialiser.put_online(committed, Meta(actor=Actor(service="features")))
        assert (await read(stocked, "1", "2")).json() == told
        rows = load(stocked.resources.objects, committed)
        assert state_digest("behaviour.1", rows) == before.state_digest
        assert receipt["id"] == committed.batch_id


class TestRead:
    async def test_each_value_has_a_status(self, stocked):
        view = {
            "name": "fresh",
            "entity": "account",
            "event_time": "happened",
            "ttl_seconds": 3600,
            "sql": "SELECT account_id, month AS happened, bill AS last_bill FROM panel",
        }
        await stocked.done("/v1/views", "anna", view)
        contact = view | {
            "name": "contact",
            "sql": "SELECT p.account_id, p.month AS happened, q.email FROM panel p "
            "JOIN people q ON p.account_id = q.account_id",
        }
        await stocked.done("/v1/views", "anna", contact)
        features = [
            {"view_id": "behaviour.1", "feature": "bill"},
            {"view_id": "fresh.1"},
            {"view_id": "contact.1", "feature": "email"},
        ]
        await stocked.done("/v1/bundles", "anna", {"name": "mixed", "features": features})
        for view_id in ("behaviour.1", "fresh.1", "contact.1"):
            await batch(stocked, view_id=view_id)
        answer = (await read(stocked, "1", "999", path="/v1/online/mixed.1")).json()
        assert answer["features"] == ["bill", "last_bill", "email"]
        assert [one["status"] for one in answer["entities"]] == [
            ["PRESENT", "STALE", "MASKED"],
            ["MISSING", "MISSING", "MASKED"],
        ]
        assert [one["values"] for one in answer["entities"]] == [[102.0, 103.0, None], [None, None, None]]

    async def test_rests_on_one_lease_and_is_counted_in_batches(self, stocked):
        """A21, online half: a lease before the first value, counts after."""
        await batch(stocked)
        for _ in range(5):
            assert (await read(stocked, "1", "999")).status_code == 200
        await stocked.resources.counts.flush()
        ((lease, granted),) = await stocked.facts("access", "access.lease.granted")
        counted = [fact for _, fact in await stocked.facts("access", "access.online_read.counted")]
        assert (granted.consumer, granted.bundle_id, granted.purpose) == ("bank-app", "credit.1", "credit scoring")
        assert sum(one.requests for one in counted) == 5
        assert sum(one.entities for one in counted) == 10
        assert sum(one.present for one in counted) == 15
        assert sum(one.missing for one in counted) == 15
        assert {one.lease for one in counted} == {str(lease.event_id)}
        use = (await stocked.get("/v1/online", "irina")).json()
        assert [(one["consumer"], one["leases"], one["requests"]) for one in use] == [("bank-app", 1, 5)]

    async def test_a_role_taken_away_ends_the_reading_at_once(self, stocked, take_role):
        await batch(stocked)
        assert (await read(stocked, "1")).status_code == 200
        await take_role("bank-app", "consumer")
        await stocked.settle()
        assert (await read(stocked, "1")).status_code == 403
        ((_, denial),) = await stocked.facts("access", "access.authorization.denied")
        assert denial.rules == ("role.not_granted",)

    async def test_without_a_purpose_nothing_is_served(self, stocked):
        await batch(stocked)
        answer = await read(stocked, "1", purpose="")
        assert [one["rule"] for one in answer.json()["reasons"]] == ["input.incomplete"]

    async def test_where_the_store_is_away_values_are_missing(self, stocked):
        await batch(stocked)
        await stocked.resources.online.close()
        away = OnlineStore("redis://127.0.0.1:9")
        stocked.app.state.resources = dataclasses.replace(stocked.resources, online=away)
        answer = await read(stocked, "1")
        assert set(answer.json()["entities"][0]["status"]) == {"MISSING"}
        await away.close()

    async def test_an_unknown_bundle_is_a_refusal(self, stocked):
        assert (await read(stocked, "1", path="/v1/online/nothing.1")).json()["code"] == "bundle.unknown"


SERVED = """
async def act(shop):
    assert (await shop.post("/v1/online/credit.1", "bank-app", {"entities": ["1"]})).status_code == 200
    die()
"""


class TestCounting:
    async def test_a_good_end_says_that_nothing_is_missing(self, stocked, settings, reopen):
        async with reopen() as other:
            assert (await read(other, "1")).status_code == 200
            process = other.resources.counts.process
        told = await stocked.facts("access", "access.online_read.counting_stopped")
        assert [(fact.process, fact.complete) for _, fact in told] == [(process, True)]
        counted = await stocked.facts("access", "access.online_read.counted")
        assert [fact.requests for _, fact in counted] == [1]

    async def test_after_a_crash_the_next_start_says_that_counts_are_unknown(self, stocked, settings, killed, reopen):
        await asyncio.to_thread(killed, SERVED)
        crashed = (settings.state_dir / "online.process").read_text("ascii")
        async with reopen() as other:
            await other.resources.counts.begin()
        told = await stocked.facts("access", "access.online_read.counting_stopped")
        assert [(fact.process, fact.complete) for _, fact in told] == [(crashed, False)]
        assert not (settings.state_dir / "online.process").exists()
