"""The embedded NATS: who may say what, and what cannot be destroyed."""

import socket

import nats
import pytest
from nats.errors import TimeoutError as NoAnswer
from nats.js.errors import APIError, NoStreamResponseError

from letopis.common.ledgers import LEDGERS
from letopis.local.topology import SERVICES


async def connect(server, name):
    async def note(error):
        errors.append(str(error))

    errors = []
    client = await nats.connect(
        server.url, nkeys_seed_str=server.seed(name), inbox_prefix=f"_INBOX_{name}".encode(), error_cb=note
    )
    return client, errors


@pytest.fixture
async def registry(nats_server):
    client, errors = await connect(nats_server, "registry")
    yield client, errors
    await client.close()


class TestService:
    async def test_publishes_to_its_own_ledger_and_sees_its_stream(self, registry):
        client, _ = registry
        ack = await client.jetstream().publish("letopis.registry.test.published", b"{}")
        info = await client.jetstream().stream_info("LEDGER_registry")
        assert ack.stream == "LEDGER_registry"
        assert info.state.last_seq >= ack.seq
        assert info.config.deny_delete
        assert info.config.deny_purge

    async def test_may_not_publish_to_the_ledger_of_another(self, registry):
        client, errors = registry
        with pytest.raises((NoAnswer, NoStreamResponseError)):
            await client.jetstream(timeout=0.5).publish("letopis.decisions.segment", b"{}")
        assert "permissions violation" in errors[0].lower()

    async def test_reads_its_durable_and_no_other(self, nats_server, registry):
        client, errors = await connect(nats_server, "monitoring")
        ack = await registry[0].jetstream().publish("letopis.registry.test.published", b"{}")
        mine = await client.jetstream().pull_subscribe_bind("monitoring_registry", "LEDGER_registry")
        seen = 0
        while seen < ack.seq:
            for message in await mine.fetch(10, timeout=5):
                seen = message.metadata.sequence.stream
                await message.ack_sync()
        other = await client.jetstream().pull_subscribe_bind("audit_registry", "LEDGER_registry")
        with pytest.raises(NoAnswer):
            await other.fetch(1, timeout=0.5)
        assert "permissions violation" in errors[0].lower()
        await client.close()

    async def test_cannot_destroy_its_stream(self, registry):
        client, errors = registry
        with pytest.raises(NoAnswer):
            await client.jetstream(timeout=0.5).delete_stream("LEDGER_registry")
        assert "permissions violation" in errors[0].lower()


class TestAdministrator:
    async def test_finds_every_stream_and_durable(self, nats_server):
        client, _ = await connect(nats_server, "admin")
        for ledger in LEDGERS:
            expected = {f"{service.name}_{ledger}" for service in SERVICES if ledger in service.follows}
            found = await client.jetstream().consumers_info(f"LEDGER_{ledger}")
            assert {one.name for one in found} == expected
        await client.close()

    async def test_cannot_purge(self, nats_server):
        client, errors = await connect(nats_server, "root")
        with pytest.raises(APIError) as refusal:
            await client.jetstream().purge_stream("LEDGER_registry")
        assert refusal.value.err_code == 10110
        assert errors == []
        await client.close()


class TestStranger:
    def test_is_not_let_in(self, nats_server):
        host, _, port = nats_server.url.removeprefix("nats://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            lines = connection.makefile("rb")
            assert lines.readline().startswith(b"INFO ")
            connection.sendall(b'CONNECT {"verbose": true}\r\nPING\r\n')
            assert lines.readline() == b"-ERR 'Authorization Violation'\r\n"
