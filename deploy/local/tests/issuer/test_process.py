"""The issuer as the stack runs it: a process over its environment."""

import os
import stat
import subprocess
import sys

import httpx

from letopis.common.clock import SystemClock
from letopis.common.identity.verifier import TokenVerifier
from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.ports import free_port

MODULE = [sys.executable, "-m", "letopis.local.issuer"]


class TestProcess:
    def test_a_bank_has_its_own_provider(self, tmp_path):
        environment = os.environ | {"LETOPIS_PROFILE": "bank", "LETOPIS_DATA_DIR": str(tmp_path)}
        ended = subprocess.run(MODULE, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 1
        assert "a bank has its own provider" in ended.stderr
        assert not list(tmp_path.iterdir())

    async def test_it_serves_tokens_that_verify_and_keeps_its_state_private(self, tmp_path):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = Program(
            argv=MODULE,
            log=tmp_path / "log",
            environment={
                "LETOPIS_PROFILE": "demo",
                "LETOPIS_DATA_DIR": str(tmp_path / "data"),
                "LETOPIS_OIDC_ISSUER": url,
                "LETOPIS_ISSUER_PORT": str(port),
            },
        )
        process = spawn(program)
        try:
            wait_until(lambda: _healthy(url), process, program, 60)
            async with httpx.AsyncClient() as http:
                form = {
                    "grant_type": "urn:letopis:params:oauth:grant-type:demo",
                    "client_id": "letopis-cli",
                    "login": "anna",
                }
                token = (await http.post(f"{url}/token", data=form)).json()["access_token"]
                assert (await TokenVerifier(url, http, SystemClock()).verify(token)).login == "anna"
        finally:
            end(process, program.stop_signal)
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and path.suffix != ".lock"]
        assert len(files) >= 10
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert token not in (tmp_path / "log").read_text()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False
