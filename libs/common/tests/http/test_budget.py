"""Budgets: a bucket a login, told when it is empty, forgotten when it would be full."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parcel import Shop

from letopis.common.http import budget
from letopis.common.http.budget import Budgets, OverBudget


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class TestBudgets:
    def test_take_a_burst_and_then_a_rate(self) -> None:
        clock = Clock()
        budgets = Budgets(rate=2, burst=3, clock=clock)
        for _ in range(3):
            budgets.take("anna")
        with pytest.raises(OverBudget) as refused:
            budgets.take("anna")
        assert refused.value.extra == {"retry_after": 1}
        budgets.take("boris")
        clock.at += 0.5
        budgets.take("anna")
        with pytest.raises(OverBudget):
            budgets.take("anna")

    @given(
        rate=st.floats(0.1, 50),
        burst=st.integers(1, 20),
        steps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
    )
    def test_never_let_through_more_than_burst_and_rate(self, rate: float, burst: int, steps: list[float]) -> None:
        clock, passed = Clock(), 0
        budgets = Budgets(rate=rate, burst=burst, clock=clock)
        for step in steps:
            clock.at += step
            try:
                budgets.take("anna")
            except OverBudget:
                continue
            passed += 1
        assert passed <= burst + rate * clock.at + 1e-6

    def test_forget_who_could_send_a_burst_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "SWEEP_AT", 10)
        clock = Clock()
        budgets = Budgets(rate=1, burst=5, clock=clock)
        for number in range(100):
            clock.at += 1
            budgets.take(f"login-{number}")
        assert len(budgets._buckets) <= 10

    def test_count_nothing_without_a_rate(self) -> None:
        budgets = Budgets()
        for _ in range(1000):
            budgets.take("anna")


async def test_a_caller_over_its_budget_is_told_when_to_come_back(shop: Shop) -> None:
    shop.app.state.resources = replace(shop.app.state.resources, budgets=Budgets(rate=0.01, burst=2))
    answers = [await shop.get("/v1/parcels/p-1") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert {one.status_code for one in answers[:2]}.isdisjoint({429})
    assert int(answers[-1].headers["Retry-After"]) >= 1
    told = answers[-1].json()
    assert told["code"] == "budget.exceeded"
    assert "boris may send 0.01 requests a second" in told["detail"]
    assert (await shop.get("/v1/parcels/p-1", by="anna")).status_code != 429
    assert 'status="429"' in (await shop.get("/metrics")).text
