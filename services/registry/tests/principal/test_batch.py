"""Many at once from one template: all of them or none, once; and contracts that end."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from letopis.common.clock import FixedClock

PEOPLE = [{"login": f"clerk{n}", "person": f"clerk{n}", "name": f"Clerk {n}"} for n in range(100)]
TEMPLATE = {"organisation": "bank", "roles": ["data_scientist"], "groups": ["retail"]}


async def types(registry, after):
    return [(one.type, one.stream) for one in await registry.resources.store.read("registry", after, 1000)]


class TestBatch:
    async def test_of_a_hundred_is_one_call_and_a_hundred_registrations(self, staffed):
        before = await staffed.resources.store.head("registry")
        answer = await staffed.post("/v1/principals/batch", "olga", TEMPLATE | {"people": PEOPLE}, key="once")
        assert answer.status_code == 201, answer.text
        told = await types(staffed, before)
        registered = [stream for type, stream in told if type == "registry.principal.registered"]
        assert registered == [f"principal:{one['login']}" for one in PEOPLE]
        assert len(told) == 300
        again = await staffed.post("/v1/principals/batch", "olga", TEMPLATE | {"people": PEOPLE}, key="once")
        assert again.json() == answer.json()
        assert await staffed.resources.store.head("registry") == before + 300
        assert (await staffed.get("/v1/principals/clerk42", "irina")).json()["roles"] == ["data_scientist"]

    async def test_with_one_who_is_there_already_leaves_nothing(self, staffed):
        before = await staffed.resources.store.head("registry")
        people = [*PEOPLE[:3], {"login": "vera", "person": "vera", "name": "Vera"}]
        answer = await staffed.post("/v1/principals/batch", "olga", TEMPLATE | {"people": people})
        assert answer.status_code == 409
        assert "vera" in answer.json()["detail"]
        assert await staffed.resources.store.head("registry") == before

    async def test_with_one_login_twice_says_which(self, staffed):
        answer = await staffed.post("/v1/principals/batch", "olga", TEMPLATE | {"people": [*PEOPLE[:2], PEOPLE[1]]})
        assert answer.status_code == 422
        assert "clerk1" in answer.text

    async def test_never_registers_whoever_asks(self, staffed):
        people = [{"login": "olga", "person": "olga", "name": "Olga"}]
        answer = await staffed.post("/v1/principals/batch", "olga", TEMPLATE | {"people": people})
        assert "roles.own_grant" in [one["rule"] for one in answer.json()["reasons"]]


class TestContract:
    async def test_needs_an_end_and_a_near_one(self, staffed):
        body = {"login": "ivan", "person": "ivan", "name": "Ivan", "organisation": "vendor", "roles": ["auditor"]}
        for until in (None, "2035-01-01"):
            answer = await staffed.post("/v1/principals", "olga", body | {"until": until})
            assert [one["rule"] for one in answer.json()["reasons"]] == ["contractors.end_date"]

    async def test_access_ends_with_the_last_day(self, staffed):
        """The same token, a second before and a second after midnight of the last day."""
        until = datetime.now(UTC).date() + timedelta(days=30)
        body = {"login": "ivan", "person": "ivan", "name": "Ivan", "organisation": "vendor", "roles": ["auditor"]}
        made = await staffed.post("/v1/principals", "olga", body | {"until": until.isoformat()})
        assert made.status_code == 201, made.text
        midnight = datetime.combine(until + timedelta(days=1), datetime.min.time(), UTC)
        real = staffed.app.state.resources
        for moment, status in ((midnight - timedelta(seconds=1), 200), (midnight, 401)):
            staffed.app.state.resources = replace(real, clock=FixedClock(moment))
            assert (await staffed.get("/v1/models", "ivan")).status_code == status
        staffed.app.state.resources = real

    async def test_is_cut_short_at_once_and_moved_within_limits(self, staffed):
        body = {"login": "ivan", "person": "ivan", "name": "Ivan", "organisation": "vendor", "roles": ["auditor"]}
        today = datetime.now(UTC).date()
        await staffed.post("/v1/principals", "olga", body | {"until": (today + timedelta(days=90)).isoformat()})
        assert (await staffed.get("/v1/models", "ivan")).status_code == 200

        async def ends(on: date | None) -> int:
            sent = {"until": on.isoformat() if on else None}
            return (await staffed.send("PUT", "/v1/principals/ivan/end-date", "olga", json=sent)).status_code

        assert await ends(today - timedelta(days=1)) == 201
        assert (await staffed.get("/v1/models", "ivan")).status_code == 401
        assert await ends(None) == 403
        assert await ends(today + timedelta(days=100)) == 201
        assert (await staffed.get("/v1/models", "ivan")).status_code == 200
