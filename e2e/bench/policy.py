"""Asking policy: an answer kept, an answer asked for, and a denial while the engine is stopped.

The peer is opa-python-client's own query of the same engine, without checks, deadline, revision or record.
"""

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from e2e.bench.report import Row, row
from opa_client.opa_async import AsyncOpaClient

from letopis.common.clock import SystemClock
from letopis.common.policy import Object, Policy, Question, Subject
from letopis.common.policy.bundle import new_key
from letopis.common.policy.sources import Bundle, bundle_of, collect
from letopis.local.child import Program, end, spawn, wait_until
from letopis.local.opa import server
from letopis.local.ports import free_port

HOST = "127.0.0.1"
OWN = Path(__file__).parents[2] / ".opa"
QUERY = "opa-python-client's query_rule"


def measure(times: int = 2000) -> list[Row]:
    """Rows of p50; `times` questions each, ours and the peer's in turn."""
    bundle = bundle_of(collect())
    with _engine(bundle) as (port, pid):
        rows = uvloop.run(_measure(bundle, port, pid, times))
    if server.executable(str(OWN)):
        with _engine(bundle, str(OWN)) as (port, pid):
            ours, peer = uvloop.run(_uncached(bundle, port, times))
        rows.append(row("uncached, OPA's own server", ours, "us", QUERY, peer))
    return rows


async def _measure(bundle: Bundle, port: int, pid: int, times: int) -> list[Row]:
    ours, peer = await _uncached(bundle, port, times)
    policy = _policy(bundle, port)
    try:
        await policy.ask(_question(), read=True)
        cached = await _timed(lambda: policy.ask(_question(), read=True), times)
        os.kill(pid, signal.SIGSTOP)
        try:
            stopped = [await _timed(lambda: policy.ask(_question()), 1) for _ in range(20)]
        finally:
            os.kill(pid, signal.SIGCONT)
    finally:
        await policy.close()
    return [
        row("cached", median(cached) * 1e6, "us", QUERY, peer),
        row("uncached", ours, "us", QUERY, peer),
        row("denied while the engine is stopped, slowest of 20", max(one for (one,) in stopped) * 1e3, "ms"),
    ]


async def _uncached(bundle: Bundle, port: int, times: int) -> tuple[float, float]:
    """p50 in microseconds of ours and of the peer; they take turns, so that a busy moment meets both."""
    policy = _policy(bundle, port)
    ours: list[float] = []
    peers: list[float] = []
    async with AsyncOpaClient(host=HOST, port=port, retries=0) as client:
        for _ in range(10):
            ours += await _timed(lambda: policy.ask(_question()), times // 10)
            peers += await _timed(
                lambda: client.query_rule(_question().input(), "letopis.registry", "authorize"), times // 10
            )
    verdict = await policy.ask(_question())
    await policy.close()
    if not verdict.allow:
        raise AssertionError(f"the measured question is not allowed: {verdict.reasons}")
    return median(ours) * 1e6, median(peers) * 1e6


async def _timed(work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    found = []
    for _ in range(times):
        begin = perf_counter()
        await work()
        found.append(perf_counter() - begin)
    return found


@contextmanager
def _engine(bundle: Bundle, path: str | None = None) -> Iterator[tuple[int, int]]:
    """A policy engine over the bundle, OPA's own server from `path` or what the stack would run; its port, its pid."""
    with TemporaryDirectory(prefix="letopis-bench-") as name:
        folder, port = Path(name), free_port()
        policy = server.sign(bundle, new_key(), folder)
        opa = server.executable(path) if path else None
        program: Program = (
            server.official(opa, policy, folder / "log", HOST, port)
            if opa
            else server.program(policy, folder / "log", HOST, port)
        )
        process = spawn(program)
        try:
            wait_until(lambda: server.answers(f"http://{HOST}:{port}"), process, program, 60)
            yield port, process.pid
        finally:
            end(process, program.stop_signal)


def _policy(bundle: Bundle, port: int) -> Policy:
    return Policy(f"http://{HOST}:{port}", "registry", SystemClock(), revision=bundle.revision)


def _question() -> Question:
    return Question(
        action="registry.session.open",
        subject=Subject(person="anna", login="anna", roles=frozenset({"data_scientist", "ml_engineer"})),
        purpose="credit decisions",
        object=Object(type="session", id="anna", attributes={"cores": 16, "memory_gb": 64}),
        facts={"held": {"cores": 8, "memory_gb": 32}},
        time=SystemClock().now(),
    )
