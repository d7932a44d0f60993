"""Sends security events to the bank's SIEM: reads the copies, keeps how far it is, begins again where it was."""

import asyncio
import json
import os
import ssl
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from letopis.audit.siem.ecs import SHAPES
from letopis.audit.siem.syslog import Reached, framed, mark, messages
from letopis.common.clock import Clock
from letopis.common.envelope import time_text
from letopis.common.errors import Unavailable
from letopis.common.observability import Metrics

if TYPE_CHECKING:
    from letopis.audit.log.copy import CopyStore

# Positions looked through at once; few of them are security events.
STRETCH = 20_000
PORT = 6514
NAMES = (*SHAPES, "%.authorization.denied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where events go: `syslog+tls://host:6514`, who signs its certificate, and ours if it asks for one."""

    url: str
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Host and port; ValueError for anything but syslog over TLS: security events go to nobody in clear."""
        parts = urlsplit(self.url)
        if parts.scheme != "syslog+tls" or not parts.hostname:
            raise ValueError("LETOPIS_AUDIT_SIEM_URL must be syslog+tls://HOST:PORT")
        return parts.hostname, parts.port or PORT

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the receiver's name checked (RFC 5425 section 5)."""
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context


@dataclass(slots=True)
class Kept:
    """How far each ledger is told, in a file; an older file only makes that more is sent again, with the same bytes."""

    path: Path
    reached: dict[str, Reached] = field(default_factory=dict)

    def load(self) -> None:
        """What was kept; nothing at the first start."""
        if self.path.exists():
            told = json.loads(self.path.read_text("utf-8"))
            self.reached = {ledger: Reached(**one) for ledger, one in told.items()}

    def save(self) -> None:
        """MUST be durable on return, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".new")
        with aside.open("w", encoding="utf-8") as file:
            json.dump({ledger: asdict(one) for ledger, one in sorted(self.reached.items())}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)


@dataclass(slots=True, kw_only=True)
class Sending:
    """One connection to the SIEM. Syslog has no receipts: what was on its way when a connection broke is not known to
    have come, so every new connection begins again at what was kept, which is saved one round behind.
    """

    receiver: Receiver
    copies: "CopyStore"
    ledgers: Sequence[str]
    kept: Kept
    clock: Clock
    metrics: Metrics
    host: str = "letopis"
    every: float = 1.0
    marked_every: float = 60.0

    async def run(self) -> None:
        """Until cancelled; a connection that breaks is opened again by whoever restarts this part."""
        sent = self.metrics.counter("siem_sent", "Security events sent, those sent again included", ("ledger",))
        self.kept.load()
        host, port = self.receiver.place
        try:
            reader, writer = await asyncio.open_connection(host, port, ssl=self.receiver.context())
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(f"the SIEM at {host}:{port} cannot be reached: {error}") from error
        watching = asyncio.create_task(reader.read())
        try:
            await self._sent(writer, watching, sent)
        finally:
            watching.cancel()
            writer.close()

    async def _sent(self, writer: asyncio.StreamWriter, watching: "asyncio.Task[bytes]", sent: Any) -> None:
        loop, due = asyncio.get_running_loop(), 0.0
        reached = dict(self.kept.reached)
        while True:
            before, busy = dict(reached), False
            for ledger in self.ledgers:
                at = reached.get(ledger, Reached())
                upto = min(await self.copies.head(ledger), at.position + STRETCH)
                busy = busy or upto == at.position + STRETCH
                records = await self.copies.typed(ledger, at.position, upto, NAMES)
                for message, told in messages(records, at, self.host):
                    at = told
                    if message is not None:
                        writer.write(framed(message))
                        sent.labels(ledger).inc()
                reached[ledger] = replace(at, position=upto)
                await writer.drain()
            if reached != before or loop.time() >= due:
                writer.write(framed(mark(reached, time_text(self.clock.now()), self.host)))
                await writer.drain()
                due = loop.time() + self.marked_every
            if watching.done():
                raise Unavailable("the SIEM has closed the connection")
            # What was kept is one round behind what was sent.
            if before != self.kept.reached:
                self.kept.reached = before
                await asyncio.to_thread(self.kept.save)
            if not busy:
                await asyncio.sleep(self.every)
