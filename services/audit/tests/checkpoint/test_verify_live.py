"""A superuser changes stored facts; `letopis verify` names the first bad position against what was kept outside."""

import asyncio
import threading
from contextlib import contextmanager

import psycopg
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.commands import app as commands
from letopis.audit.commands import export, verify
from letopis.audit.log.note import Signer
from letopis.audit.log.shelf import Shelf
from letopis.common.database import open_engine
from letopis.common.envelope import NewFact
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.ids import salt, uuid7
from letopis.local.ports import free_port

COUNT = 300


@contextmanager
def served(app):
    """The application's address; its log is served to whoever asks."""
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    up = threading.Event()
    real = server.startup

    async def startup(sockets=None):
        await real(sockets)
        up.set()

    server.startup = startup
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert up.wait(10)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


async def history(chronicle, folder):
    """A ledger of 300 facts, written as every service writes its own; sealed, and exported to where nobody gets."""
    facts = [
        NewFact(
            event_id=uuid7(),
            type="audit.evidence.read",
            schema_version=1,
            salt=salt(),
            data=b'{"score":%d}' % number,
            meta=b"{}",
        )
        for number in range(COUNT)
    ]
    store = chronicle.resources.store
    await store.append("audit", "evidence:1", 0, facts)
    await chronicle.seal("audit", await store.read("audit", 0, COUNT))
    with served(chronicle.app) as log:
        assert await asyncio.to_thread(export, out=folder / "outside", ledger=["audit"], log=log) == 0


@pytest.fixture(scope="module")
def stock(stocking):
    return stocking(history)


@pytest.fixture
async def store(audit_database):
    engine = open_engine(audit_database.app_url, autocommit=True)
    yield PostgresEventStore(engine)
    await engine.dispose()


@pytest.fixture
def log(chronicle):
    with served(chronicle.app) as log:
        yield log


@pytest.fixture
def kept(settings, tmp_path):
    """The checkpoint and its hashes, kept outside before anything happened."""
    return tmp_path / "outside" / "audit"


def tamper(database, *statements, table="es.event"):
    """What a superuser can do: switch the triggers off, and change whatever they like."""
    with psycopg.connect(database.superuser_url) as connection:
        parts = "event event_audit event_audit_p0" if table == "es.event" else "record record_audit record_audit_p0"
        for part in parts.split():
            connection.execute(f"ALTER TABLE {table.split('.')[0]}.{part} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


class TestVerify:
    """Row: as PostgreSQL superuser, changing any stored fact is named by the verifier."""

    def check(self, database, kept, capsys, **more):
        code = verify(database=database.superuser_url, ledger="audit", checkpoint=[kept], **more)
        return code, capsys.readouterr().out

    def test_finds_nothing_wrong_with_what_was_sealed(self, audit_database, kept, capsys):
        code, told = self.check(audit_database, kept, capsys)
        assert code == 0
        assert "audit: 300 stored facts are those that were sealed" in told
        assert told.endswith("VERIFIED\n")

    def test_needs_no_more_than_the_applications_role(self, audit_database, kept):
        assert verify(database=audit_database.app_url, checkpoint=[kept]) == 0

    @pytest.mark.parametrize(
        ("statement", "place"),
        [
            ("UPDATE es.event SET data = '{\"score\":9}' WHERE position = 88", "audit/88"),
            ("UPDATE es.event SET data = data || ' ' WHERE position = 300", "audit/300"),
            ("UPDATE es.event SET meta = '{\"actor\":1}' WHERE position = 1", "audit/1"),
            ("UPDATE es.event SET recorded_at = recorded_at - interval '1 microsecond' WHERE position = 5", "audit/5"),
            ("UPDATE es.event SET recorded_at = 'infinity' WHERE position = 5", "audit/5"),
            ("UPDATE es.event SET stream = 'evidence:2' WHERE position = 6", "audit/6"),
            ("UPDATE es.event SET command_id = gen_random_uuid() WHERE position = 7", "audit/7"),
            ("UPDATE es.event SET salt = decode(repeat('00', 16), 'hex') WHERE position = 8", "audit/8"),
            ("UPDATE es.event SET prev = 0 WHERE position = 9", "audit/9"),
            ("DELETE FROM es.event WHERE position = 144", "audit/144"),
            ("DELETE FROM es.event WHERE position > 290", "audit/291"),
            ("TRUNCATE es.event_audit_p0", "audit/1"),
            ("UPDATE es.event SET position = 301 - position + 1000 WHERE position IN (10, 11)", "audit/10"),
            ("UPDATE es.event SET position = position + 1000 WHERE position >= 200", "audit/200"),
        ],
    )
    def test_names_what_was_changed(self, audit_database, kept, capsys, statement, place):
        tamper(audit_database, statement)
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert f"FAILED at {place}" in told.splitlines()[-1]

    def test_names_facts_that_were_swapped(self, audit_database, kept, capsys):
        move = "UPDATE es.event SET position = {} WHERE position = {}"
        tamper(audit_database, move.format(5000, 20), move.format(20, 40), move.format(40, 5000))
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert [line.split(":")[0] for line in told.splitlines()[:2]] == ["WRONG   audit/20", "WRONG   audit/40"]

    def test_names_a_fact_that_was_inserted(self, audit_database, kept, capsys):
        tamper(
            audit_database,
            "UPDATE es.event SET position = position + 10000 WHERE position >= 50",
            "UPDATE es.event SET position = position - 9999 WHERE position > 10000",
            "INSERT INTO es.event SELECT ledger, 50, stream, version, prev, gen_random_uuid(), type, schema_version, "
            "recorded_at, command_id, salt, data, meta FROM es.event WHERE position = 49",
        )
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert told.startswith("WRONG   audit/50: is not the fact that was sealed")

    def test_names_a_change_of_the_chronicles_own_copy(self, audit_database, kept, capsys):
        tamper(audit_database, "UPDATE copy.record SET data = '{}' WHERE position = 77", table="copy.record")
        assert self.check(audit_database, kept, capsys)[0] == 0
        code, told = self.check(audit_database, kept, capsys, copy=True)
        assert (code, told.splitlines()[-1]) == (1, "FAILED at audit/77")

    def test_of_a_database_without_the_ledger_is_no_consent(self, postgres, kept, capsys):
        assert verify(database=postgres, checkpoint=[kept]) == 1
        assert "this database has no es.event" in capsys.readouterr().out

    def test_says_without_tiles_that_something_differs(self, audit_database, kept, capsys):
        for path in (kept / "tile").rglob("*"):
            if path.is_file():
                path.unlink()
        assert self.check(audit_database, kept, capsys)[0] == 0
        tamper(audit_database, "UPDATE es.event SET data = '{}' WHERE position = 77")
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert "FAILED at audit: some fact up to 300" in told

    def test_names_a_hole_even_without_tiles(self, audit_database, kept, capsys):
        for path in (kept / "tile").rglob("*"):
            if path.is_file():
                path.unlink()
        tamper(audit_database, "DELETE FROM es.event WHERE position = 77")
        code, told = self.check(audit_database, kept, capsys)
        assert (code, told) == (1, "FAILED at audit/77: is missing\n")

    def test_of_another_ledger_is_refused(self, audit_database, kept, capsys):
        code = verify(database=audit_database.app_url, ledger="decisions", checkpoint=[kept])
        assert code == 1
        assert "is of audit, not of decisions" in capsys.readouterr().out

    def test_of_a_changed_checkpoint_is_refused(self, audit_database, kept, capsys):
        note = (kept / "checkpoint").read_text("utf-8")
        (kept / "checkpoint").write_text(note.replace("\n300\n", "\n299\n"), "utf-8")
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert "signature" in told

    def test_of_changed_tiles_is_refused(self, audit_database, kept, capsys):
        path = kept / "tile" / "0" / "000"
        path.write_bytes(b"x" + path.read_bytes()[1:])
        code, told = self.check(audit_database, kept, capsys)
        assert code == 1
        assert "do not lead to the checkpoint's root" in told

    def test_says_when_the_database_cannot_be_reached(self, kept):
        assert verify(database="postgresql://nobody@127.0.0.1:1/x", checkpoint=[kept]) == 2

    def test_needs_something_to_verify(self, kept):
        assert verify() == 2
        assert verify(checkpoint=[kept]) == 2


class TestRewrittenHistory:
    """The database, the copy, the tiles and the lock are all rewritten, and signed with the stolen log key."""

    async def test_is_named_by_the_kept_checkpoint(self, chronicle, audit_database, kept, log, tmp_path, capsys):
        for table in ("es.event", "copy.record"):
            change = f"UPDATE {table} SET data = '{{\"score\":9}}' WHERE position = 88"
            tamper(audit_database, change, table=table)
        resources = chronicle.resources
        forged = Sealer(
            ledger="audit",
            copies=resources.copies,
            shelf=Shelf(tmp_path / "forged"),
            locks=LockStore(tmp_path / "forged.sqlite"),
            signer=resources.log.signers["audit"],
        )
        assert (await forged.seal()).size == COUNT
        real = resources.log.shelf.root
        real.rename(tmp_path / "real")
        (tmp_path / "forged").rename(real)
        assert verify(log=log, ledger="audit", checkpoint=[kept]) == 1
        assert "a fork" in capsys.readouterr().out
        assert export(out=kept.parent, ledger=["audit"], log=log) == 1
        assert "does not begin with the kept head of 300: a fork" in capsys.readouterr().out
        assert verify(database=audit_database.superuser_url, checkpoint=[kept]) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "FAILED at audit/88"

    async def test_under_another_key_is_refused(self, chronicle, kept, log, capsys, monkeypatch):
        other = Signer("letopis.test/log/audit", Ed25519PrivateKey.generate())
        monkeypatch.setitem(chronicle.resources.log.signers, "audit", other)
        assert export(out=kept.parent, ledger=["audit"], log=log) == 1
        assert "another key than the one that was kept" in capsys.readouterr().out


class TestExport:
    async def test_says_what_it_keeps(self, log, tmp_path, capsys):
        assert export(out=tmp_path / "elsewhere", ledger=["audit"], log=log) == 0
        assert "audit: 300 facts" in capsys.readouterr().out

    async def test_again_continues_what_was_kept(self, chronicle, store, kept, log, capsys):
        fact = NewFact(event_id=uuid7(), type="audit.x.y", schema_version=1, salt=salt(), data=b"{}", meta=b"{}")
        await store.append("audit", "evidence:2", 0, [fact])
        await chronicle.seal("audit", await store.read("audit", COUNT, 10))
        assert verify(log=log, checkpoint=[kept]) == 0
        assert "the log of 301 continues the kept checkpoint of 300" in capsys.readouterr().out
        assert export(out=kept.parent, ledger=["audit"], log=log) == 0
        assert "continues the kept 300" in capsys.readouterr().out

    def test_of_a_log_that_is_away_keeps_the_old(self, kept, tmp_path):
        before = (kept / "checkpoint").read_bytes()
        assert export(out=kept.parent, ledger=["audit"], log="http://127.0.0.1:1") == 1
        assert (kept / "checkpoint").read_bytes() == before


class TestCommands:
    def test_have_names_and_help(self, capsys):
        for line in (["verify", "--help"], ["checkpoint", "export", "--help"], ["pack", "--help"]):
            with pytest.raises(SystemExit) as ended:
                commands(line)
            assert ended.value.code in {0, None}
        assert "checkpoint" in capsys.readouterr().out

    def test_verify_a_pack_from_the_command_line(self, pack, tmp_path, capsys):
        (tmp_path / "pack.zip").write_bytes(pack)
        with pytest.raises(SystemExit) as ended:
            commands(["verify", str(tmp_path / "pack.zip")])
        assert ended.value.code == 0
        assert capsys.readouterr().out.endswith("VERIFIED\n")
        (tmp_path / "pack.zip").write_bytes(pack[:-1])
        with pytest.raises(SystemExit) as ended:
            commands(["verify", str(tmp_path / "pack.zip")])
        assert ended.value.code == 1
