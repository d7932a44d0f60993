"""A service process: it serves, works beside, and ends in order when told to."""

import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

PROGRAM = """
import asyncio, sys
sys.path.insert(0, {here!r})
import parcel
from letopis.common.http import serving
from letopis.common.settings import ServiceSettings

class Beside:
    async def run(self):
        print("parts run", flush=True)
        if {fails}:
            raise LookupError
        try:
            await asyncio.Event().wait()
        finally:
            print("parts end", flush=True)

    def health(self):
        return {{"beside": "working"}}

async def main():
    async with parcel.open_shop({opa!r}) as shop:
        settings = ServiceSettings(port={port})
        await serving.serve(shop.app, settings, api={api}, parts=lambda app: Beside())
    print("resources closed", flush=True)

asyncio.run(main())
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def started(opa_url: str, port: int, *, api: bool = True, fails: bool = False) -> asyncio.subprocess.Process:
    program = PROGRAM.format(here=str(Path(__file__).parent), opa=opa_url, port=port, api=api, fails=fails)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )


async def reached(url: str, process: asyncio.subprocess.Process) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        while process.returncode is None:
            try:
                return await client.get(url)
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
    pytest.fail(f"the process ended: {(await process.communicate())[1].decode()}")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_serves_until_told_to_stop_and_ends_in_order(opa_url: str, end: signal.Signals) -> None:
    port = free_port()
    process = await started(opa_url, port)
    async with asyncio.timeout(30):
        ready = await reached(f"http://127.0.0.1:{port}/readyz", process)
        assert ready.json()["parts"] == {"beside": "working"}
        process.send_signal(end)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert out.decode().split("\n")[:3] == ["parts run", "parts end", "resources closed"]


async def test_a_worker_serves_nothing_and_stops_too(opa_url: str) -> None:
    port = free_port()
    process = await started(opa_url, port, api=False)
    async with asyncio.timeout(30):
        assert (await process.stdout.readline()) == b"parts run\n"
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{port}/healthz")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_a_process_whose_parts_all_ended_fails(opa_url: str) -> None:
    process = await started(opa_url, free_port(), fails=True)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode != 0
    assert re.search("LookupError", err.decode())
