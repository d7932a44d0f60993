"""The key store over its doors, on a real PostgreSQL: issuing, handing out, destroying, restoring a backup."""

import json
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import psycopg
import pytest

from letopis.audit.subject_keys.app import create_app
from letopis.audit.subject_keys.callers import RIGHTS
from letopis.audit.subject_keys.master import Master, MasterMissing
from letopis.audit.subject_keys.settings import SubjectKeysSettings
from letopis.common import migrating
from letopis.common.private_files import make_private_folder, write_private
from letopis.common.sealing import HttpKeyStore, KeysAway

ROUTES = {
    "/v1/keys": ("issue", {"count": 1}),
    "/v1/keys/fetch": ("fetch", {"ids": []}),
    "/v1/destroyed": ("destroyed", {"after": 0}),
    "/v1/subjects/keys": ("assign", {"keys": {}}),
    "/v1/subjects/find": ("find", {"subject": "a"}),
    "/v1/subjects/destroy": ("destroy", {"subject": "a", "erasure_id": "e"}),
}


def migrated(database):
    migrating.upgrade("audit.subject_keys", database.owner_url, database.app_url, database.projector_url)


@asynccontextmanager
async def serving(database, folder: Path):
    """The application as its process runs it; a function that asks it in a service's name."""
    make_private_folder(folder)
    callers = {name: sha256(name.encode()).hexdigest() for name in RIGHTS}
    write_private(folder / "callers.json", json.dumps(callers))
    settings = SubjectKeysSettings(
        database_url=database.app_url, state_dir=folder, callers_file=folder / "callers.json"
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://k") as client:

        async def ask(path, body, by="audit"):
            return await client.post(path, json=body, headers={"authorization": f"Bearer {by}"})

        ask.vault = app.state.vault
        ask.client = client
        yield ask


def keys_of(client, service, folder: Path) -> HttpKeyStore:
    write_private(folder / f"{service}.secret", service)
    return HttpKeyStore(client, "http://k", folder / f"{service}.secret")


@pytest.fixture
def database(database):
    return database("subject_keys", migrated)


class TestDoors:
    async def test_every_door_asks_for_a_secret_and_a_right(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            for path, (right, body) in ROUTES.items():
                assert (await ask(path, body, by="stranger")).status_code == 401
                assert (await ask.client.post(path, json=body)).status_code == 401
                for service, rights in RIGHTS.items():
                    assert (await ask(path, body, by=service)).status_code == (200 if right in rights else 403)
            assert (await ask("/v1/keys", {"count": 0}, by="inference")).status_code == 422
            assert (await ask("/v1/keys/fetch", {"ids": ["' OR 1"]}, by="inference")).status_code == 422
            assert {route.path for route in ask.client._transport.app.routes} == {*ROUTES, "/healthz", "/readyz"}

    async def test_monitoring_may_read_inputs_but_not_names(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            stores = {name: keys_of(ask.client, name, tmp_path) for name in ("registry", "inference", "monitoring")}
            (name,), (inputs,) = await stores["registry"].issue(1), await stores["inference"].issue(1)
            both = [name.id, inputs.id]
            assert set(await stores["monitoring"].fetch(both)) == {inputs.id}
            assert set(await stores["registry"].fetch(both)) == {name.id}
            assert (await stores["inference"].fetch(both))[inputs.id].secret == inputs.secret
            with pytest.raises(KeysAway, match="403"):
                await stores["monitoring"].issue(1)


class TestDestroy:
    async def test_erases_every_key_of_the_subject_and_no_other(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            store = keys_of(ask.client, "inference", tmp_path)
            one, two, other, free = await store.issue(4)
            named = {one.id: "account:1", two.id: "account:1", other.id: "account:2"}
            assert (await ask("/v1/subjects/keys", {"keys": named})).json() == []
            erasure = {"subject": "account:1", "erasure_id": "e1"}
            gone = (await ask("/v1/subjects/destroy", erasure)).json()
            assert gone == sorted([one.id, two.id])
            # Told again, after a crash, it answers the same and destroys nothing more.
            assert (await ask("/v1/subjects/destroy", erasure)).json() == gone
            assert set(await store.fetch([one.id, two.id, other.id, free.id])) == {other.id, free.id}
            assert (await ask("/v1/subjects/find", {"subject": "account:1"})).json() == {"living": 0, "destroyed": 2}
            news = await store.destroyed(0)
            assert {(each.subject, each.key_id) for each in news} == {("account:1", ""), ("", one.id), ("", two.id)}
            assert await store.destroyed(news[-1].seq) == []

    async def test_a_key_that_turns_up_late_is_destroyed_and_one_given_by_name_is_not(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            store = keys_of(ask.client, "inference", tmp_path)
            (late,) = await store.issue(1)
            await ask("/v1/subjects/destroy", {"subject": "account:1", "erasure_id": "e1"})
            (again,) = await store.issue(1, "account:1")
            named = {late.id: "account:1", again.id: "account:1"}
            assert (await ask("/v1/subjects/keys", {"keys": named})).json() == [late.id]
            assert set(await store.fetch([late.id, again.id])) == {again.id}
            # A second erasure takes that one too.
            gone = (await ask("/v1/subjects/destroy", {"subject": "account:1", "erasure_id": "e2"})).json()
            assert gone == [again.id]

    async def test_a_restored_database_forgets_again_before_it_serves(self, database, tmp_path, databases):
        """Restoring yesterday's backup of the key database brings no destroyed key back."""
        async with serving(database, tmp_path / "keys") as ask:
            store = keys_of(ask.client, "inference", tmp_path)
            one, other = await store.issue(2)
            await ask("/v1/subjects/keys", {"keys": {one.id: "account:1"}})
            with psycopg.connect(database.superuser_url) as connection:
                backup = connection.execute(
                    "SELECT key_id, service, wrapped, subject, by_name FROM subject_key"
                ).fetchall()
            await ask("/v1/subjects/destroy", {"subject": "account:1", "erasure_id": "e1"})
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            connection.execute("TRUNCATE subject_key, destruction RESTART IDENTITY")
            for row in backup:
                connection.execute(
                    "INSERT INTO subject_key (key_id, service, wrapped, subject, by_name) VALUES (%s, %s, %s, %s, %s)",
                    row,
                )
        async with serving(database, tmp_path / "keys") as ask:
            store = keys_of(ask.client, "inference", tmp_path)
            assert set(await store.fetch([one.id, other.id])) == {other.id}
            # A service that had read further than the restored list goes reads it from the beginning.
            assert {each.subject for each in await store.destroyed(99)} == {"account:1", ""}

    async def test_after_a_rotation_old_backups_are_worthless(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            store = keys_of(ask.client, "inference", tmp_path)
            (key,) = await store.issue(1)
            with psycopg.connect(database.superuser_url) as connection:
                before = bytes(connection.execute("SELECT wrapped FROM subject_key").fetchone()[0])
            assert await ask.vault.rotate() == 1
            assert (await store.fetch([key.id]))[key.id].secret == key.secret
            assert key.secret not in before
            with pytest.raises(MasterMissing):
                Master(tmp_path / "keys" / "master.key").unwrap(key.id, before)

    async def test_keys_without_their_master_key_are_an_error_not_a_fresh_start(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            await keys_of(ask.client, "inference", tmp_path).issue(1)
        (tmp_path / "keys" / "master.key").unlink()
        with pytest.raises(MasterMissing):
            async with serving(database, tmp_path / "keys"):
                pass


class TestKept:
    async def test_no_key_lies_in_the_database_in_clear(self, database, tmp_path):
        async with serving(database, tmp_path / "keys") as ask:
            keys = await keys_of(ask.client, "inference", tmp_path).issue(50)
        with psycopg.connect(database.superuser_url) as connection:
            rows = connection.execute("SELECT wrapped FROM subject_key").fetchall()
        assert len(rows) == 50
        assert not any(key.secret in bytes(row[0]) for row in rows for key in keys)
        assert (tmp_path / "keys" / "master.key").stat().st_mode & 0o077 == 0
