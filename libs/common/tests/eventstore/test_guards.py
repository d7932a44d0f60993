"""Nobody changes facts: not the application's role, and not the superuser in passing."""

import psycopg
import pytest
from psycopg import errors

from letopis.common.database import open_engine
from letopis.common.envelope import NewFact
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import salt, uuid7

from .test_contract import prepare

CHANGES = [
    "UPDATE es.event SET data = 'x'",
    "DELETE FROM es.event",
    "TRUNCATE es.event",
    "UPDATE es.event_test SET data = 'x'",
    "DELETE FROM es.event_test_p0",
    "TRUNCATE es.event_test_p0",
]


@pytest.fixture
async def told(database):
    """A database with one fact."""
    made = database(prepare=prepare)
    engine = open_engine(made.app_url, autocommit=True)
    one = NewFact(event_id=uuid7(), type="test.a.b", schema_version=1, salt=salt(), data=b"{}", meta=b"{}")
    await PostgresEventStore(engine).append("test", "a:1", 0, [one])
    await engine.dispose()
    return made


class TestGuards:
    @pytest.mark.parametrize(
        "change", [*CHANGES, "INSERT INTO es.ledger VALUES ('x', 1)", "UPDATE es.ledger SET head = 9"]
    )
    async def test_the_application_has_no_right(self, told, change):
        with psycopg.connect(told.app_url) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(change)

    @pytest.mark.parametrize("change", CHANGES)
    async def test_the_superuser_is_refused_by_always_triggers(self, told, change):
        with psycopg.connect(told.superuser_url) as connection:
            connection.execute("SET session_replication_role = replica")
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(change)
        assert refused.value.sqlstate == "LE403"

    async def test_operators_can_read_facts_decoded(self, told):
        with psycopg.connect(told.app_url) as connection:
            row = connection.execute("SELECT type, data, meta FROM es.readable").fetchone()
        assert row == ("test.a.b", {}, {})
