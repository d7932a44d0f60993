"""`letopis up` and `down` on real parts."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from letopis.local import control, launcher
from letopis.local.probe import ask

from .conftest import alive, children_of, until

PARTS = {"postgres", "nats", "streams", "valkey", "opa", "migrations"}


class TestUp:
    def test_brings_up_every_part_and_says_where(self, running):
        one = running
        told = control.read_status(one.data)
        assert {part.name for part in told.parts} >= PARTS
        assert {part.state for part in told.parts if part.name in PARTS} == {"ready", "done"}
        assert one.letopis("status").returncode == 0

    def test_says_what_runs_already_when_repeated(self, running):
        one = running
        supervisor = one.supervisor
        again = one.up()
        assert f"already running (process {supervisor})" in again.stdout
        assert str(one.base + 9) in again.stdout
        assert one.supervisor == supervisor

    def test_keeps_secrets_ports_and_data_over_restarts(self, ended):
        again = ended.letopis("up", "--detach", "--no-mlflow", "--services", "none")
        assert again.returncode == 0, again.stderr
        assert str(ended.base + 9) in again.stdout
        assert ended.read_secrets() == ended.secrets
        ended.down()

    def test_keeps_secrets_for_its_user_alone(self, running):
        one = running
        folder = one.data / "secrets"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        password = (folder / "postgres_password").read_text()
        for path in [*one.data.glob("logs/*"), *one.data.glob("run/*"), *one.data.glob("*.json")]:
            assert password not in path.read_text(errors="replace")

    def test_says_which_port_is_taken_and_starts_nothing(self, running, stack):
        first, second = running, stack("second")
        second.base = first.base
        refused = second.try_up()
        assert refused.returncode == 1
        assert str(first.base + 9) in refused.stderr
        assert "--port-base" in refused.stderr
        assert not control.running(second.data)

    def test_runs_two_data_directories_side_by_side(self, running, stack):
        first, second = running, stack("second")
        second.base = first.base + 20
        second.up()
        assert first.part("postgres").address != second.part("postgres").address
        assert first.read_secrets().keys() == second.read_secrets().keys()
        assert first.read_secrets()["postgres_password"] != second.read_secrets()["postgres_password"]

    def test_uses_a_given_postgresql_instead_of_its_own(self, stack, postgres):
        one = stack(environment={"LETOPIS_POSTGRES_URL": postgres})
        told = one.up()
        assert one.part("postgres").state == "given"
        assert urlsplit(postgres).password not in told.stdout
        assert not (one.data / "postgres").exists()

    def test_uses_a_given_issuer_instead_of_its_own(self, running, stack):
        bank = running
        issuer = bank.part("issuer").address
        one = stack("one", environment={"LETOPIS_OIDC_ISSUER": issuer})
        one.base = bank.base + 20
        one.up()
        assert (one.part("issuer").state, one.part("issuer").address) == ("given", issuer)
        assert ask(f"{issuer}/.well-known/openid-configuration")[1]["issuer"] == issuer
        assert not (one.data / "state" / "issuer").exists()

    def test_names_the_part_that_does_not_start_and_leaves_nothing(self, ended):
        version = ended.data / "postgres" / "PG_VERSION"
        right = version.read_text()
        version.write_text("9\n")
        failed = ended.try_up()
        version.write_text(right)
        assert failed.returncode == 1
        assert "postgres" in failed.stderr
        assert not control.running(ended.data)
        assert {part.pid for part in control.read_status(ended.data).parts} == {0}


class TestSupervision:
    def test_restarts_a_part_that_dies_and_shows_it(self, running):
        one = running
        for name in ("nats", "valkey", "postgres", "opa"):
            before = one.part(name).pid
            os.kill(before, signal.SIGKILL)
            after = until(
                lambda name=name, before=before: (p := one.part(name)).pid != before and p.state == "ready" and p
            )
            assert after.restarts >= 1
            assert "SIGKILL" in after.note
        assert "restarted" in one.letopis("status").stdout

    def test_makes_streams_again_that_were_lost(self, running):
        one = running
        streams = one.data / "nats" / "jetstream"
        assert streams.is_dir()
        os.kill(one.part("nats").pid, signal.SIGSTOP)
        lost = one.part("nats").pid
        shutil.rmtree(streams)
        os.kill(lost, signal.SIGKILL)
        until((streams / "$G" / "streams" / "LEDGER_audit").is_dir)

    def test_keeps_what_postgresql_has_committed_through_its_death(self, running):
        one = running
        password = (one.data / "secrets" / "postgres_password").read_text()
        url = f"postgresql://letopis:{password}@127.0.0.1:{one.base + 9}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
        before = one.part("postgres").pid
        os.kill(before, signal.SIGKILL)
        until(lambda: (p := one.part("postgres")).pid != before and p.state == "ready")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT id FROM kept").fetchone() == (7,)


class TestLogs:
    def test_prints_the_end_of_a_part_and_names_the_others_if_there_is_none(self, running):
        one = running
        assert "ready to accept connections" in one.letopis("logs", "postgres").stdout
        missing = one.letopis("logs", "oracle")
        assert missing.returncode == 1
        assert "nats" in missing.stderr


class TestEnd:
    def test_by_down_leaves_no_process(self, ended):
        assert len(ended.pids) > 5
        assert ended.said.strip() == "stopped"
        assert ended.left == []
        assert ended.letopis("status").returncode == 3
        assert "nothing is running" in ended.down().stdout

    def test_by_ctrl_c_leaves_no_process(self, stack):
        one = stack()
        flags = ["--data-dir", str(one.data), "--port-base", str(one.base), "--no-mlflow", "--services", "none"]
        with subprocess.Popen(
            [sys.executable, "-m", "letopis.local", "up", *flags],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as up:
            assert any("ready after" in line for line in up.stdout)
            pids = children_of(up.pid)
            os.kill(up.pid, signal.SIGINT)
            assert up.stdout.read().endswith("stopped\n")
            assert up.wait(30) == 0
        assert len(pids) > 5
        assert not [pid for pid in pids if alive(pid)]

    @pytest.mark.drill
    def test_by_the_death_of_the_supervisor_leaves_no_process(self, stack):
        one = stack()
        one.up()
        pids = children_of(one.supervisor)
        os.kill(one.supervisor, signal.SIGKILL)
        until(lambda: not [pid for pid in pids if alive(pid)])
        one.up()


class TestOrdinaryUser:
    def test_runs_everything_without_being_root(self, stack):
        """Inside a user namespace we are uid 1000 without any capability, and the launcher changes nothing."""
        inside = [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), "9", "namespace"]
        one = stack(launcher=inside if os.geteuid() == 0 else ())
        one.up()
        user, inherited = (
            Path(f"/proc/{pid}/uid_map").read_text() for pid in (one.part("postgres").pid, one.supervisor)
        )
        assert user == inherited
        one.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
class TestRootWithoutNamespaces:
    def test_hands_postgresql_to_an_unprivileged_user(self, stack, open_folder):
        one = stack(
            launcher=[sys.executable, str(Path(__file__).with_name("without_namespaces.py"))], folder=open_folder
        )
        one.up()
        owner = Path(f"/proc/{one.part('postgres').pid}").stat().st_uid
        assert owner not in {0, Path(f"/proc/{one.supervisor}").stat().st_uid}

    def test_says_what_to_do_where_that_user_cannot_reach_the_data(self, stack, open_folder):
        closed = open_folder / "closed"
        closed.mkdir(mode=0o700)
        one = stack(launcher=[sys.executable, str(Path(__file__).with_name("without_namespaces.py"))], folder=closed)
        refused = one.try_up()
        assert refused.returncode == 1
        assert "user namespaces are forbidden" in refused.stderr
