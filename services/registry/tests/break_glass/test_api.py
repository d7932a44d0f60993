"""Breaking the glass over HTTP: in at once, out after its hours, and nothing ordinary until somebody has looked."""

from datetime import UTC, datetime, timedelta

from letopis.common.clock import FixedClock
from letopis.registry.break_glass.lapsing import Lapsing

REASON = "the model in production refuses every client"
ROOM = "/v1/models/credit/break-glass"


async def security_officer(registry):
    body = {"login": "pavel", "person": "pavel", "name": "Pavel", "roles": ["security_officer"]}
    assert (await registry.post("/v1/principals", "olga", body)).status_code == 201


async def opened(registry, version_id):
    made = await registry.post(ROOM, "boris", {"version_id": version_id, "reason": REASON, "hours": 2})
    assert made.status_code == 201, made.text
    id = made.json()["facts"][0]["data"]["break_glass_id"]
    agreed = await registry.post(f"{ROOM}/{id}/confirmations", "pavel")
    assert agreed.status_code == 201, agreed.text
    return id


async def in_production(registry):
    return (await registry.get("/v1/models/credit", "boris")).json()["in_production"]


class TestEmergency:
    async def test_stops_the_ordinary_way_until_it_is_reviewed_and_ends_with_its_hours(self, stocked):
        await security_officer(stocked)
        await stocked.promote("credit.1")
        waiting = (await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})).json()["facts"][0]["data"]
        # A version without any evidence is in production as soon as the second person agrees.
        bare = await stocked.version(b"[1]")
        id = await opened(stocked, bare)
        assert await in_production(stocked) == bare
        listed = (await stocked.get("/v1/break-glass?state=unreviewed", "irina")).json()
        assert [(one["version_id"], one["requested_by"], one["confirmed_by"]) for one in listed] == [
            (bare, "boris", "pavel")
        ]
        asked_path = f"/v1/promotions/{waiting['promotion_id']}/approvals"
        for path, by, body in (
            ("/v1/promotions", "anna", {"version_id": "credit.1"}),
            (asked_path, "boris", stocked.signed(waiting, "boris")),
        ):
            refused = await stocked.post(path, by, body)
            assert [one["rule"] for one in refused.json()["reasons"]] == ["break_glass.unreviewed"]
        review = {"outcome": "unjustified", "findings": "a rollback would have been enough"}
        for by in ("boris", "pavel"):
            refused = await stocked.post(f"{ROOM}/{id}/reviews", by, review)
            assert refused.status_code == 403
        assert (await stocked.post(f"{ROOM}/{id}/reviews", "vera", review)).status_code == 201
        assert (await stocked.post(asked_path, "boris", stocked.signed(waiting, "boris"))).status_code == 201

    async def test_leaves_production_with_its_hours_and_the_review_stays_owed(self, stocked):
        await security_officer(stocked)
        await stocked.promote("credit.1")
        bare = await stocked.version(b"[1]")
        await opened(stocked, bare)
        resources = stocked.resources
        clock = FixedClock(datetime.now(UTC) + timedelta(minutes=119))
        lapsing = Lapsing(resources.desk, resources.views, clock)
        await lapsing.step()
        await stocked.settle()
        assert await in_production(stocked) == bare
        clock.at += timedelta(minutes=2)
        await lapsing.step()
        await stocked.settle()
        await lapsing.step()
        assert await in_production(stocked) == "credit.1"
        assert [one["running"] for one in (await stocked.get("/v1/break-glass", "irina")).json()] == [False]
        refused = await stocked.post("/v1/promotions", "anna", {"version_id": "credit.1"})
        assert [one["rule"] for one in refused.json()["reasons"]] == ["break_glass.unreviewed"]

    async def test_needs_two_people_with_a_fresh_second_factor(self, staffed):
        await security_officer(staffed)
        bare = await staffed.version(b"[1]")
        ask = {"version_id": bare, "reason": REASON}
        staffed.resources.verifier.factor_age = timedelta(minutes=16)
        stale = await staffed.post(ROOM, "boris", ask)
        assert [one["rule"] for one in stale.json()["reasons"]] == ["break_glass.step_up"]
        staffed.resources.verifier.factor_age = timedelta()
        # Vera may both ask and agree by her role, but not both in one matter.
        made = await staffed.post(ROOM, "vera", ask)
        id = made.json()["facts"][0]["data"]["break_glass_id"]
        refused = await staffed.post(f"{ROOM}/{id}/confirmations", "vera")
        assert [one["rule"] for one in refused.json()["reasons"]] == ["break_glass.same_person"]
        assert (await staffed.post(ROOM, "vera", ask | {"hours": 25})).status_code == 422
