"""The stop table, row by row, for scoring; and what is left after the worker died."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from letopis.inference.contract import DECISIONS, DecisionMade


async def deployed(bank: Any) -> None:
    version_id = await bank.registry.register(1)
    await bank.registry.promote(version_id)
    assert (await bank.deploy(version_id)).status_code == 201


@pytest.fixture
def switch(settings: Any, postgres: str) -> Callable[[bool], None]:
    """Lets nobody connect to the service's database, and throws out whoever is."""

    def set_open(is_open: bool) -> None:
        name = settings.database_url.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {str(is_open).lower()}')
            if not is_open:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    return set_open


class TestPostgresAway:
    async def test_scoring_goes_on_from_the_journal_and_nothing_is_lost(
        self, bank: Any, clients: list[dict[str, Any]], switch: Callable[[bool], None]
    ) -> None:
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        switch(False)
        told = [await bank.score(row) for row in clients[:40]]
        assert {one.status_code for one in told} == {200}
        assert (await bank.ask("GET", "/v1/deployments", "olga")).status_code == 503
        switch(True)
        await bank.shipped()
        recorded = {str(one.event_id) for one in await bank.decisions() if one.type == "decisions.decision.made"}
        assert {one.json()["decision_id"] for one in told} <= recorded


class TestPolicyAway:
    async def test_scoring_goes_on_under_the_lease_and_nobody_new_comes_in(
        self, bank: Any, clients: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        await bank.resources.policy.close()
        monkeypatch.setitem(bank.resources.policy._options, "port", 9)
        await bank.resources.leases.refresh()
        assert (await bank.score(clients[0])).status_code == 200
        answer = await bank.score(clients[0], by="call-centre")
        assert (answer.status_code, answer.json()["reasons"][0]["rule"]) == (403, "policy.away")


class TestRestart:
    async def test_the_next_worker_ships_what_the_last_one_journaled(
        self, bank: Any, reopen: Callable[[], Any], clients: list[dict[str, Any]], switch: Callable[[bool], None]
    ) -> None:
        """The journal alone carries decisions over the death of a worker whose database was away."""
        await deployed(bank)
        assert (await bank.score(clients[0])).status_code == 200
        await bank.shipped()
        switch(False)
        told = [(await bank.score(row)).json()["decision_id"] for row in clients[:20]]
        bank.resources.journal.close()
        switch(True)
        async with reopen() as again:
            await again.resources.shipper.settled.wait()
            recorded = {str(one.event_id) for one in await again.decisions()}
            assert set(told) <= recorded
            assert (await again.score(clients[0])).status_code == 200


class TestLedgerAndJournal:
    async def test_replaying_recorded_inputs_gives_the_recorded_bits(
        self, bank: Any, clients: list[dict[str, Any]]
    ) -> None:
        """What was recorded is enough to score again: native model, recorded inputs, equal bits."""
        await deployed(bank)
        for row in clients[:30]:
            await bank.score(row)
        await bank.shipped()
        records = [one for one in await bank.decisions() if one.type == "decisions.decision.made"]
        facts = [DECISIONS.decode(one.type, one.schema_version, one.data) for one in records]
        servable = bank.resources.serving.find("credit", "v1").servable
        assert len(facts) == 30
        for fact in facts:
            assert isinstance(fact, DecisionMade)
            again = servable.scorer.score(__import__("numpy").array([servable.plan.vector(fact.inputs)]))
            assert again.tolist() == [fact.score]

    async def test_a_decision_is_found_with_its_grant(self, bank: Any, clients: list[dict[str, Any]]) -> None:
        await deployed(bank)
        decision_id = (await bank.score(clients[4])).json()["decision_id"]
        await bank.settle()
        answer = await bank.ask("GET", f"/v1/decisions/{decision_id}", "irina")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["data"]["entity_id"] == "4"
        (lease,) = [one for one in await bank.decisions() if str(one.event_id) == told["lease"]]
        assert lease.type == "decisions.lease.granted"
        listed = (await bank.ask("GET", "/v1/decisions?entity_id=4", "irina")).json()
        assert [one["decision_id"] for one in listed] == [decision_id]
        assert (await bank.ask("GET", f"/v1/decisions/{decision_id}", "bank-app")).status_code == 403
