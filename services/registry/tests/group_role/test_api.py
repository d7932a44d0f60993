"""What a group opens is said by two people, and works at once for every member."""


async def approved(registry, group, roles):
    body = {"roles": roles, "reason": "as in the bank's directory"}
    made = await registry.post(f"/v1/groups/{group}/role-proposals", "olga", body)
    assert made.status_code == 201, made.text
    id = made.json()["facts"][0]["data"]["proposal_id"]
    return await registry.post(f"/v1/groups/{group}/role-proposals/{id}/approvals", "pavel")


async def staffing(registry):
    for login, roles in (("pavel", ["security_officer"]), ("gleb", [])):
        body = {"login": login, "person": login, "name": login, "roles": roles}
        assert (await registry.post("/v1/principals", "olga", body)).status_code == 201


class TestGroupRoles:
    async def test_open_for_members_only_once_a_second_person_agreed(self, staffed):
        await staffing(staffed)
        joined = await staffed.post("/v1/principals/gleb/groups", "olga", {"group": "internal-audit"})
        assert joined.status_code == 201
        assert (await staffed.get("/v1/principals", "gleb")).status_code == 403
        body = {"roles": ["auditor"], "reason": "as in the bank's directory"}
        made = await staffed.post("/v1/groups/internal-audit/role-proposals", "olga", body)
        path = f"/v1/groups/internal-audit/role-proposals/{made.json()['facts'][0]['data']['proposal_id']}/approvals"
        own = await staffed.post(path, "olga")
        assert [one["rule"] for one in own.json()["reasons"]] == ["four_eyes.own_proposal"]
        assert (await staffed.get("/v1/principals", "gleb")).status_code == 403
        assert (await staffed.post(path, "pavel")).status_code == 201
        assert (await staffed.get("/v1/principals", "gleb")).status_code == 200
        assert (await staffed.get("/v1/groups/internal-audit/roles", "irina")).json()["roles"] == ["auditor"]
        # The review says so too, and nothing is left when the group opens nothing any more.
        rows = {one["person"]: one for one in (await staffed.post("/v1/access-reviews", "irina")).json()["rows"]}
        assert rows["gleb"]["roles"] == ["auditor"]
        assert (await approved(staffed, "internal-audit", [])).status_code == 201
        assert (await staffed.get("/v1/principals", "gleb")).status_code == 403

    async def test_nobody_gets_a_toxic_pair_by_joining(self, staffed):
        await staffing(staffed)
        assert (await approved(staffed, "model-risk", ["validator"])).status_code == 201
        refused = await staffed.post("/v1/principals/anna/groups", "olga", {"group": "model-risk"})
        assert [one["rule"] for one in refused.json()["reasons"]] == ["roles.toxic_pair"]

    async def test_an_unknown_role_is_named(self, staffed):
        body = {"roles": ["wizard"], "reason": "x"}
        refused = await staffed.post("/v1/groups/g/role-proposals", "olga", body)
        assert refused.json()["code"] == "principal.role_unknown"


class TestLead:
    async def test_brings_a_colleague_into_a_group_that_opens_no_role(self, staffed):
        await staffing(staffed)
        for group in ("lead:scoring", "lead:model-risk"):
            assert (await staffed.post("/v1/principals/boris/groups", "olga", {"group": group})).status_code == 201
        assert (await approved(staffed, "model-risk", ["validator"])).status_code == 201
        assert (await staffed.post("/v1/principals/gleb/groups", "boris", {"group": "scoring"})).status_code == 201
        for by, group in (("boris", "model-risk"), ("boris", "lead:scoring"), ("anna", "scoring")):
            refused = await staffed.post("/v1/principals/gleb/groups", by, {"group": group})
            assert "groups.not_lead" in [one["rule"] for one in refused.json()["reasons"]], (by, group)
        assert (await staffed.send("DELETE", "/v1/principals/gleb/groups/scoring", "boris")).status_code == 201
