"""Nobody rewrites the chronicle: whatever the superuser changes in stored facts is named against a kept checkpoint."""

from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from e2e.journey.proving import copy_database, keep_checkpoint, letopis, superuser_url

LEDGER = "registry"
PLACE = 17
LATER = 40

# The least change of each stored column that PostgreSQL takes.
COLUMNS = {
    "ledger": "'elsewhere'",
    "position": "position + 100000",
    "stream": "stream || '0'",
    "version": "version + 1",
    "prev": "prev + 1",
    "event_id": "gen_random_uuid()",
    "type": "type || '0'",
    "schema_version": "schema_version + 1",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "command_id": "CASE WHEN command_id IS NULL THEN gen_random_uuid() END",
    "salt": "set_byte(salt, 15, get_byte(salt, 15) # 1)",
    "data": "set_byte(data, octet_length(data) - 2, get_byte(data, octet_length(data) - 2) # 1)",
    "meta": "set_byte(meta, octet_length(meta) - 2, get_byte(meta, octet_length(meta) - 2) # 1)",
}
WHERE = f"WHERE ledger = '{LEDGER}' AND position"
# Two facts change places, by a place that neither has.
SWAP = (
    f"UPDATE es.event SET position = 100000 {WHERE} = {LATER}",
    f"UPDATE es.event SET position = {LATER} {WHERE} = {PLACE}",
    f"UPDATE es.event SET position = {PLACE} {WHERE} = 100000",
)
# Everything behind moves by one and nothing shows in the numbers.
CLOSE = (
    f"UPDATE es.event SET position = position + 100000 {WHERE} > {PLACE}",
    f"UPDATE es.event SET position = position - 100001 {WHERE} > 100000",
)
OPEN = (
    f"UPDATE es.event SET position = position + 100000 {WHERE} >= {PLACE}",
    f"UPDATE es.event SET position = position - 99999 {WHERE} > 100000",
)
NEW = f"""
    INSERT INTO es.event
    SELECT ledger, {PLACE}, 'forged:1', 1, 0, gen_random_uuid(), type, schema_version, recorded_at, NULL,
           salt, data, meta
    FROM es.event {WHERE} = {PLACE - 1}"""
ACTS = {
    "deleted": ((f"DELETE FROM es.event {WHERE} = {PLACE}",), PLACE),
    "deleted and closed up": ((f"DELETE FROM es.event {WHERE} = {PLACE}", *CLOSE), PLACE),
    "inserted": ((*OPEN, NEW), PLACE),
    "swapped": (SWAP, PLACE),
    "the end cut off": ((f"DELETE FROM es.event {WHERE} >= {LATER}",), LATER),
    "all but the first": ((f"DELETE FROM es.event {WHERE} > 1",), 2),
}


@pytest.fixture(scope="module")
def kept(world, story, tmp_path_factory):
    """A checkpoint exported before anything was changed, outside the database."""
    return keep_checkpoint(world, LEDGER, tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def original(world, kept):
    """A disposable copy of the registry's facts in which the superuser has switched every trigger off."""
    url = copy_database(world, "letopis_registry", "letopis_original")
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'es' AND c.relname LIKE 'event%' AND c.relkind IN ('r', 'p')"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        connection.execute("SELECT es.open_partition('elsewhere', 0)")
        connection.execute("ALTER TABLE es.event_elsewhere DISABLE TRIGGER ALL")
        connection.execute("ALTER TABLE es.event_elsewhere_p0 DISABLE TRIGGER ALL")
    return "letopis_original"


@pytest.fixture
def changed(world, original):
    """Changes a copy of the copy and gives its URL; the copies are gone afterwards."""
    made = []

    @contextmanager
    def administration():
        with psycopg.connect(superuser_url(world, "postgres"), autocommit=True) as connection:
            yield connection

    def change(*statements):
        made.append(f"letopis_changed_{uuid4().hex[:8]}")
        with administration() as connection:
            connection.execute(f'CREATE DATABASE "{made[-1]}" TEMPLATE "{original}"')
        url = superuser_url(world, made[-1])
        with psycopg.connect(url) as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0
        return url

    yield change
    with administration() as connection:
        for name in made:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def verified(world, url, kept):
    return letopis(world, "verify", "--database", url, "--ledger", LEDGER, "--checkpoint", str(kept))


class TestSuperuser:
    def test_an_honest_copy_is_verified(self, world, kept, changed):
        verdict = verified(world, changed(), kept)
        assert verdict.good, verdict.text
        assert "VERIFIED" in verdict.text

    @pytest.mark.parametrize("column", COLUMNS)
    def test_a_changed_column_is_named(self, world, kept, changed, column):
        url = changed(f"UPDATE es.event SET {column} = {COLUMNS[column]} {WHERE} = {PLACE}")
        verdict = verified(world, url, kept)
        assert not verdict.good, verdict.text
        assert f"FAILED at {LEDGER}/{PLACE}\n" in verdict.text

    @pytest.mark.parametrize("act", ACTS)
    def test_the_first_bad_position_is_named(self, world, kept, changed, act):
        statements, first = ACTS[act]
        verdict = verified(world, changed(*statements), kept)
        assert not verdict.good, verdict.text
        assert f"FAILED at {LEDGER}/{first}\n" in verdict.text

    def test_all_columns_are_tried(self, world, original):
        """A column added to the store later must be tried here too."""
        with psycopg.connect(superuser_url(world, original)) as connection:
            query = "SELECT attname FROM pg_attribute WHERE attrelid = 'es.event'::regclass AND attnum > 0"
            assert {name for (name,) in connection.execute(query).fetchall()} == COLUMNS.keys()

    def test_the_live_ledger_still_agrees(self, world, kept):
        """The log of today continues the kept checkpoint, and the owner's stored facts are the sealed ones."""
        url = superuser_url(world, "letopis_registry")
        arguments = ("--database", url, "--log", world.urls["audit"], "--ledger", LEDGER, "--checkpoint", str(kept))
        verdict = letopis(world, "verify", *arguments)
        assert verdict.good, verdict.text
