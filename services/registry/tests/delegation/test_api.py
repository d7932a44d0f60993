"""A role is lent by who has it, for days, and works only as long as the lender has it."""

from datetime import UTC, datetime, timedelta

import pytest

TODAY = datetime.now(UTC).date()
WEEK = (TODAY + timedelta(days=7)).isoformat()
LOAN = {"login": "irina-second", "role": "risk_officer", "until": WEEK, "reason": "away"}
USE_CASE = {
    "use_case_id": "loans",
    "name": "Loans",
    "goal": "Lend with care",
    "owner": "boris",
    "decision_domain": "credit",
    "customer_reach": "mass",
    "materiality": "high",
}


@pytest.fixture
async def lent(staffed):
    """Vera's role risk_officer lent to a colleague who has none."""
    body = {"login": "irina-second", "person": "kira", "name": "Kira", "roles": []}
    assert (await staffed.post("/v1/principals", "olga", body)).status_code == 201
    await staffed.post("/v1/use-cases", "anna", USE_CASE)
    assert (await staffed.post("/v1/use-cases/loans/approvals", "irina-second")).status_code == 403
    made = await staffed.post("/v1/delegations", "vera", LOAN)
    assert made.status_code == 201, made.text
    return staffed, made.json()["id"]


async def acts(registry):
    answer = await registry.post("/v1/use-cases/loans/approvals", "irina-second")
    return answer.status_code


class TestLoan:
    async def test_lets_the_borrower_act(self, lent):
        registry, _ = lent
        assert await acts(registry) == 201

    async def test_ends_when_it_is_taken_back(self, lent):
        registry, id = lent
        assert (await registry.post(f"/v1/delegations/{id}/end", "anna")).status_code == 403
        assert (await registry.post(f"/v1/delegations/{id}/end", "vera")).status_code == 201
        assert await acts(registry) == 403

    @pytest.mark.parametrize("gone", ["role", "lender"])
    async def test_ends_with_the_lenders_own_role_and_with_the_lender(self, lent, gone):
        registry, _ = lent
        if gone == "role":
            taken = await registry.send("DELETE", "/v1/principals/vera/roles/risk_officer", "olga")
        else:
            taken = await registry.post("/v1/principals/vera/end", "olga")
        assert taken.status_code == 201
        assert await acts(registry) == 403

    async def test_is_not_lent_on(self, lent):
        registry, _ = lent
        onward = await registry.post("/v1/delegations", "irina-second", LOAN | {"login": "boris"})
        assert onward.status_code == 409
        assert onward.json()["code"] == "delegation.not_own_role"

    async def test_is_not_for_longer_than_a_month_nor_to_oneself(self, staffed):
        late = (TODAY + timedelta(days=31)).isoformat()
        refused = await staffed.post("/v1/delegations", "vera", LOAN | {"login": "boris", "until": late})
        assert [one["rule"] for one in refused.json()["reasons"]] == ["delegation.too_long"]
        own = await staffed.post("/v1/delegations", "vera", LOAN | {"login": "vera"})
        assert own.json()["code"] == "delegation.to_oneself"
