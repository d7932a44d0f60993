"""Mutual TLS: a service reads another's ledger over it; who shows no certificate of ours gets no word."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from letopis.common.errors import Unavailable
from letopis.common.following import News
from letopis.common.following.door import DoorLedger
from letopis.common.http import serving
from letopis.common.mutual_tls import client_context
from letopis.common.running import end
from letopis.common.settings import ServiceSettings
from letopis.local.certificates import ensure_authority, issue
from letopis.local.ports import free_port

HOSTS = ("localhost", "127.0.0.1")


class Token(httpx.Auth):
    """Audit's own token, which the registry's fixture knows by its name."""

    def auth_flow(self, request):
        request.headers["Authorization"] = "Bearer service:audit"
        yield request


def settings_of(folder, service, port=0, now=None, hosts=HOSTS):
    certificate, key = issue(folder, service, hosts, now)
    return ServiceSettings(
        tls_authority_file=ensure_authority(folder), tls_certificate_file=certificate, tls_key_file=key, port=port
    )


@pytest.fixture
async def serve(staffed):
    """Serves the registry with some settings; its address."""
    stop, running = asyncio.Event(), []

    async def start(settings):
        running.append(asyncio.create_task(serving._listen(staffed.app, settings, stop)))
        for _ in range(6000):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", settings.port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            return f"https://127.0.0.1:{settings.port}"
        raise TimeoutError

    yield start
    stop.set()
    await asyncio.gather(*running)
    await end(*running)


async def facts_over(url, settings):
    async with httpx.AsyncClient(verify=client_context(settings), trust_env=False, timeout=60) as http:
        return await DoorLedger(http, Token(), url, "registry", News()).read(0, 100)


class TestWholePath:
    async def test_a_ledger_is_read_through_both_certificates(self, serve, staffed, tmp_path):
        url = await serve(settings_of(tmp_path, "registry", free_port()))
        records = await facts_over(url, settings_of(tmp_path, "audit"))
        own = await staffed.resources.store.read("registry", 0, 100)
        assert [one.event_id for one in records] == [one.event_id for one in own]
        assert records

    async def test_nobody_else_gets_a_handshake(self, serve, tmp_path):
        url = await serve(settings_of(tmp_path, "registry", free_port()))
        other = tmp_path / "other"
        past = datetime.now(UTC) - timedelta(days=91)
        stranger = settings_of(other, "audit").model_copy(update={"tls_authority_file": ensure_authority(tmp_path)})
        for wrong in (stranger, settings_of(tmp_path, "audit", now=past)):
            with pytest.raises(Unavailable):
                await facts_over(url, wrong)
        # Without any certificate, trusting the authority; with TLS 1.2; and without TLS at all.
        bare = ssl.create_default_context(cafile=ensure_authority(tmp_path))
        old = client_context(settings_of(tmp_path, "audit"))
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
        for context in (bare, old):
            async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60) as http:
                with pytest.raises(httpx.TransportError):
                    await http.get(f"{url}/healthz")
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            with pytest.raises(httpx.TransportError):
                await http.get(f"{url.replace('https', 'http')}/healthz")

    async def test_a_service_under_another_name_or_authority_is_not_believed(self, serve, tmp_path):
        other = tmp_path / "other"
        false_name = await serve(settings_of(tmp_path, "registry", free_port(), hosts=("elsewhere.example",)))
        foreign = settings_of(other, "registry", free_port())
        # It would let us in; we do not let it speak.
        trusting = foreign.model_copy(update={"tls_authority_file": ensure_authority(tmp_path)})
        false_authority = await serve(trusting)
        for url in (false_name, false_authority):
            with pytest.raises(Unavailable) as refused:
                await facts_over(url, settings_of(tmp_path, "audit"))
            assert "certificate verify failed" in str(refused.value.__cause__)


def test_half_a_set_of_files_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="mutual TLS needs all"):
        client_context(ServiceSettings(tls_key_file=tmp_path / "key"))
