"""Backup and restore over real databases: whole again, apart, and never from what is damaged or over what is there."""

import psycopg
import pytest

from letopis.local import control
from letopis.local.backup import layout, manifest
from letopis.local.backup.databases import dump, load
from letopis.local.backup.manifest import BackupDamaged
from letopis.local.backup.refilling import Diverged, refill_ledger
from letopis.local.backup.restoring import NotEmpty, StackRuns, _lay, restore
from letopis.local.backup.taking import _copy, _manifest

ABOUT = ("0.1.0", 180000, "2026-11-21T00:00:00+00:00")
APPEND = """
    SELECT * FROM es.append('registry', ARRAY[gen_random_uuid()], ARRAY['\\x00'::bytea], ARRAY[1], ARRAY[1],
        ARRAY[%s], ARRAY[%s::bigint], ARRAY[1], ARRAY[false], ARRAY[gen_random_uuid()], ARRAY['registry.thing.made'],
        ARRAY[1], ARRAY[decode(repeat('ab', 16), 'hex')], ARRAY['{}'::bytea], ARRAY['{}'::bytea])
"""


def append(connection, count, start=0):
    for number in range(start, start + count):
        connection.execute(APPEND, (f"thing:{number % 3}", number // 3))


def copied(owner, audit):
    """Audit's copy of the registry, as it is now."""
    rows = owner.execute("SELECT * FROM es.event ORDER BY position").fetchall()
    with audit.cursor() as cursor:
        cursor.executemany(f"INSERT INTO copy.record VALUES ({', '.join(['%s'] * 13)})", rows)


@pytest.fixture
def installation(tmp_path):
    """A data directory as services leave it, without databases."""
    data = tmp_path / "data"
    for name in (
        *("objects/sha256/ab/abc", "objects/log/registry/checkpoint", "state/inference/journal/j/1", "ports.json"),
        *("state/audit/lock/heads.sqlite", "state/subject_keys/master.key", "state/subject_keys/destroyed"),
        *("secrets/audit.signing_key", "state/issuer/issuer.json", "state/features/tokens.key", "logs/audit.log"),
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(f"content of {name}\n")
    return data


@pytest.fixture
def taken(installation, tmp_path):
    """Its two folders, without databases."""
    for kind, keys in (("data", False), ("keys", True)):
        folder = tmp_path / kind / "backup"
        (folder / "databases").mkdir(parents=True)
        _copy(installation, folder, layout.files(installation, keys=keys))
        manifest.write(folder, _manifest(kind, ABOUT, {}, folder))
    return tmp_path / "data" / "backup", tmp_path / "keys" / "backup"


class TestApart:
    def test_data_holds_no_key_and_no_lock(self, taken):
        data, keys = (
            {name.removeprefix("files/") for name in manifest.read(folder, kind).files}
            for folder, kind in zip(taken, ("data", "keys"), strict=True)
        )
        assert data == {
            *("objects/sha256/ab/abc", "objects/log/registry/checkpoint", "state/inference/journal/j/1", "ports.json"),
        }
        assert keys == {
            *("state/subject_keys/master.key", "state/subject_keys/destroyed", "secrets/audit.signing_key"),
            *("state/issuer/issuer.json", "state/features/tokens.key"),
        }
        for folder in taken:
            assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*") if path.is_file())

    def test_what_was_destroyed_since_stays_destroyed(self, taken, tmp_path):
        there = tmp_path / "there"
        (there / "state" / "subject_keys").mkdir(parents=True)
        (there / layout.DESTROYED).write_text("destroyed later\n")
        _lay(taken[1], manifest.read(taken[1], "keys"), there)
        assert (there / layout.DESTROYED).read_text() == f"content of {layout.DESTROYED}\ndestroyed later\n"


class TestDamage:
    @pytest.mark.parametrize("change", ["flip", "lose", "add", "cut"])
    def test_is_named_before_anything_is_touched(self, taken, tmp_path, change):
        path = taken[0] / "files" / "objects" / "sha256" / "ab" / "abc"
        if change == "flip":
            path.write_bytes(b"C" + path.read_bytes()[1:])
        elif change == "cut":
            path.write_bytes(path.read_bytes()[:-1])
        elif change == "lose":
            path.unlink()
        else:
            path = path.with_name("more")
            path.write_text("more")
        with pytest.raises(BackupDamaged, match=str(path)):
            restore(*taken, tmp_path / "new")
        assert not (tmp_path / "new").exists()

    def test_one_that_broke_off_is_no_backup(self, taken, tmp_path):
        (taken[0] / "manifest.json").unlink()
        with pytest.raises(BackupDamaged, match="no manifest"):
            restore(*taken, tmp_path / "new")

    def test_keys_are_not_taken_for_data(self, taken, tmp_path):
        with pytest.raises(BackupDamaged, match="tells of keys"):
            restore(taken[1], taken[0], tmp_path / "new")


class TestRefused:
    def test_over_what_is_there(self, taken, installation):
        with pytest.raises(NotEmpty, match="objects"):
            restore(*taken, installation)

    def test_under_a_running_stack(self, taken, installation):
        with control.Lock(installation), pytest.raises(StackRuns):
            restore(*taken, installation, replace=True)


class TestDatabases:
    def test_come_back_whole_with_their_guards(self, database, tmp_path):
        """Row: facts, heads, functions and refusals of a restored ledger are those that were taken."""
        there, back = database("registry"), database("registry", prepare=lambda _: None)
        with psycopg.connect(there.superuser_url, autocommit=True) as owner:
            append(owner, 5)
            told = dump(there.superuser_url, tmp_path / "one.dump", "one.dump")
            append(owner, 4, 5)
            taken = owner.execute("SELECT * FROM es.event WHERE position <= 5 ORDER BY position").fetchall()
        assert (told.heads["registry"], told.migration != "") == (5, True)
        load(back.superuser_url, tmp_path / "one.dump")
        with psycopg.connect(back.superuser_url, autocommit=True) as owner:
            assert owner.execute("SELECT * FROM es.event ORDER BY position").fetchall() == taken
            append(owner, 1, 5)
            for statement in ("UPDATE es.event SET data = ''", "DELETE FROM es.event", "TRUNCATE es.event"):
                with pytest.raises(psycopg.DatabaseError, match="facts are never changed"):
                    owner.execute(statement)
        with psycopg.connect(back.app_url, autocommit=True) as app:
            append(app, 1, 6)
            assert app.execute("SELECT head FROM es.ledger").fetchone() == (7,)


class TestRefill:
    @pytest.fixture
    def two(self, database):
        owner, audit = database("registry"), database("audit")
        with (
            psycopg.connect(owner.superuser_url, autocommit=True) as one,
            psycopg.connect(audit.superuser_url) as other,
        ):
            append(one, 10)
            copied(one, other)
            other.commit()
            yield owner, one, other

    def forget(self, owner, upto):
        """Yesterday's ledger is back."""
        for table in ("event", "event_registry", "event_registry_p0"):
            owner.execute(f"ALTER TABLE es.{table} DISABLE TRIGGER ALL")
        owner.execute("DELETE FROM es.event WHERE position > %s", (upto,))
        owner.execute("UPDATE es.ledger SET head = %s WHERE ledger = 'registry'", (upto,))
        owner.execute("DELETE FROM es.stream; DELETE FROM es.command")
        owner.execute(
            "INSERT INTO es.stream SELECT DISTINCT ON (stream) ledger, stream, version, position, false FROM es.event "
            "ORDER BY stream, position DESC"
        )

    def test_gives_the_same_facts_back_and_the_ledger_goes_on(self, two):
        database, owner, audit = two
        before = owner.execute("SELECT * FROM es.event ORDER BY position").fetchall()
        self.forget(owner, 6)
        with psycopg.connect(database.superuser_url) as connection:
            assert refill_ledger(audit, connection, "registry") == (7, 10)
        assert owner.execute("SELECT * FROM es.event ORDER BY position").fetchall() == before
        append(owner, 2, 10)
        versions = owner.execute("SELECT stream, version FROM es.stream ORDER BY stream").fetchall()
        assert versions == [("thing:0", 4), ("thing:1", 4), ("thing:2", 4)]
        with psycopg.connect(database.superuser_url) as connection:
            assert refill_ledger(audit, connection, "registry") is None

    def test_refuses_a_ledger_that_lived_on(self, two):
        database, owner, audit = two
        self.forget(owner, 6)
        append(owner, 1, 6)
        with psycopg.connect(database.superuser_url) as connection, pytest.raises(Diverged, match="registry/7"):
            refill_ledger(audit, connection, "registry")
