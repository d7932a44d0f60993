"""The embedded PostgreSQL and what each role may do in a service's database."""

from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from letopis.local.postgres import server
from letopis.local.postgres.provision import with_login


def make_table(db):
    with psycopg.connect(db.owner_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA es")
        connection.execute("CREATE TABLE es.thing (id int)")
        connection.execute("INSERT INTO es.thing VALUES (7)")


class TestServer:
    def test_runs_sorts_russian_by_code_point_and_keeps_checksums(self, postgres):
        with psycopg.connect(postgres) as connection:
            assert connection.info.server_version // 10000 == 18
            assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
            assert connection.execute("SELECT to_tsvector('simple', 'Летопись') @@ 'летопись'").fetchone() == (True,)

    def test_refuses_a_wrong_password(self, postgres):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(with_login(postgres, "letopis", "wrong", "postgres"))

    def test_does_not_run_as_root_and_stays_ours(self, postgres):
        with psycopg.connect(postgres) as connection:
            folder = connection.execute("SHOW data_directory").fetchone()[0]
        assert Path(folder).stat().st_mode & 0o777 == 0o700


class TestInitialise:
    def test_begins_anew_after_an_attempt_that_was_interrupted(self, tmp_path):
        half = tmp_path / "postgres.new"
        half.mkdir()
        (half / "PG_VERSION").write_text("18\n")
        server.initialise(tmp_path / "postgres", "secret")
        assert (tmp_path / "postgres" / "global" / "pg_control").exists()
        assert not half.exists()


class TestDatabase:
    def test_is_a_clone_of_what_was_prepared_once(self, database):
        first, second = database(prepare=make_table), database(prepare=make_table)
        assert first.name != second.name
        with psycopg.connect(first.owner_url, autocommit=True) as connection:
            connection.execute("DELETE FROM es.thing")
        with psycopg.connect(second.owner_url) as connection:
            assert connection.execute("SELECT id FROM es.thing").fetchone() == (7,)

    def test_lets_the_application_read_what_the_projector_makes_and_not_write_it(self, database):
        db = database(prepare=make_table)
        with psycopg.connect(db.projector_url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA rm_x_v1")
            connection.execute("CREATE TABLE rm_x_v1.x AS SELECT 1 AS id")
            connection.execute("CREATE TEMPORARY TABLE t (id int)")
        with psycopg.connect(db.app_url, autocommit=True) as connection:
            assert connection.execute("SELECT id FROM rm_x_v1.x").fetchone() == (1,)
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("DELETE FROM rm_x_v1.x")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("CREATE SCHEMA mine")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM es.thing")

    def test_is_closed_to_the_roles_of_another_service(self, database):
        mine, other = database("one", prepare=make_table), database("two", prepare=lambda db: None)
        stranger = with_login(mine.app_url, *_login(other.app_url), mine.name)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(stranger)


def _login(url):
    login = url.split("//")[1].split("@")[0].split(":")
    return login[0], login[1]
