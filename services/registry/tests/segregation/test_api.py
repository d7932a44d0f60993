"""Nobody approves through another hand: commits, a second login, a lent role, a team."""

from datetime import UTC, datetime, timedelta

WEEK = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()


async def asked_for(registry, **change):
    version = await registry.version(b"[7]", **change) if change else "credit.1"
    if change:
        for kind in ("documentation", "explainability", "fairness", "out_of_time_quality", "reproducible_build"):
            await registry.evidence(version, kind, "anna")
        await registry.evidence(version, "validation_report", "vera")
    made = await registry.post("/v1/promotions", "anna", {"version_id": version})
    assert made.status_code == 201, made.text
    return made.json()["facts"][0]["data"]


async def approval(registry, asked, by):
    return await registry.post(f"/v1/promotions/{asked['promotion_id']}/approvals", by, registry.signed(asked, by))


def proxy(answer, way):
    reasons = answer.json()["reasons"]
    return [one["rule"] for one in reasons] == ["four_eyes.proxy"] and way in reasons[0]["message"]


class TestProxy:
    async def test_who_wrote_the_code_does_not_approve_it(self, stocked):
        asked = await asked_for(stocked, code={"commit": "c0ffee", "authors": ["boris@bank.example"]})
        assert proxy(await approval(stocked, asked, "boris"), "boris made or asked")
        assert (await approval(stocked, asked, "vera")).status_code == 201

    async def test_who_borrows_a_role_from_the_author_does_not(self, stocked):
        asked = await asked_for(stocked)
        loan = {"login": "boris", "role": "model_owner", "until": WEEK, "reason": "away"}
        made = await stocked.post("/v1/delegations", "anna", loan)
        assert made.status_code == 201, made.text
        assert proxy(await approval(stocked, asked, "boris"), "anna made or asked, boris by a lent role")
        assert len((await stocked.get("/v1/delegations", "irina")).json()) == 1
        ended = await stocked.post(f"/v1/delegations/{made.json()['id']}/end", "boris")
        assert ended.status_code == 201, ended.text
        assert (await approval(stocked, asked, "boris")).status_code == 201

    async def test_who_builds_in_one_team_with_the_author_does_not(self, stocked):
        asked = await asked_for(stocked)
        for login in ("anna", "boris"):
            joined = await stocked.post(f"/v1/principals/{login}/groups", "olga", {"group": "team:cards"})
            assert joined.status_code == 201
        assert proxy(await approval(stocked, asked, "boris"), "boris by the team cards")
        assert (await approval(stocked, asked, "vera")).status_code == 201
