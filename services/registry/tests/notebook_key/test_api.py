"""A notebook's key: for one purpose and use case, never for what only the person may do, gone when revoked."""

import json

import pytest

ASK = {"purpose": "model_development", "use_case_id": "cards", "days": 7}


@pytest.fixture
async def issued(stocked):
    """A key of Anna's."""
    made = await stocked.post("/v1/notebook-keys", "anna", ASK)
    assert made.status_code == 201, made.text
    return stocked, made.json()


class TestKey:
    async def test_reads_in_the_persons_name_and_every_fact_names_it(self, issued):
        registry, told = issued
        assert (await registry.get("/v1/models", told["key"])).status_code == 200
        records = await registry.resources.store.read("registry", 0, 1000)
        assert all(told["key"].rpartition(".")[2].encode() not in one.data + one.meta for one in records)

    async def test_does_nothing_that_only_the_person_may(self, issued):
        registry, told = issued
        for path, body in (
            ("/v1/promotions", {"version_id": "credit.1"}),
            ("/v1/notebook-keys", ASK),
            ("/v1/principals/anna/keys", {"public_key": "AAAA"}),
        ):
            refused = await registry.post(path, told["key"], body)
            assert refused.status_code == 403, path
            assert [one["rule"] for one in refused.json()["reasons"]] == ["delegation.in_person"]
        last = (await registry.resources.store.read("registry", 0, 1000))[-1]
        assert last.type == "registry.authorization.denied"
        actor = json.loads(last.meta)["actor"]
        assert (actor["person"], actor["service"]) == ("anna", f"notebook:{told['key_id']}")

    async def test_ends_when_it_is_revoked_by_its_owner_or_security_and_nobody_else(self, issued):
        registry, told = issued
        assert (await registry.send("DELETE", f"/v1/notebook-keys/{told['key_id']}", "boris")).status_code == 403
        assert (await registry.send("DELETE", f"/v1/notebook-keys/{told['key_id']}", "anna")).status_code == 201
        assert (await registry.get("/v1/models", told["key"])).status_code == 401

    async def test_ends_with_its_owner(self, issued):
        registry, told = issued
        assert (await registry.post("/v1/principals/anna/end", "olga")).status_code == 201
        assert (await registry.get("/v1/models", told["key"])).status_code == 401

    async def test_wants_an_approved_use_case_and_a_short_life(self, staffed):
        for change, rule in (
            ({"use_case_id": "none"}, "notebook_key.use_case"),
            ({"days": 31}, "notebook_key.too_long"),
        ):
            refused = await staffed.post("/v1/notebook-keys", "anna", ASK | change)
            assert rule in [one["rule"] for one in refused.json()["reasons"]]

    async def test_another_secret_purpose_or_spelling_opens_nothing(self, issued):
        registry, told = issued
        head, _, secret = told["key"].rpartition(".")
        other = "A" if secret[0] != "A" else "B"
        for wrong in (f"{head}.{other}{secret[1:]}", f"{told['key']}A", head, f"{head}.{secret[:-1]}"):
            assert (await registry.get("/v1/models", wrong)).status_code == 401
        headers = {"Authorization": f"Bearer {told['key']}", "Letopis-Purpose": "curiosity"}
        assert (await registry.client.get("/v1/models", headers=headers)).status_code == 401
