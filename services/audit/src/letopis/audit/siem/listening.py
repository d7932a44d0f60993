"""A receiver of syslog over TLS that keeps count: for trying an export, and for holding one's SIEM against."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from letopis.audit.siem.syslog import Receiving, unframed

Told = Callable[[bytes, dict[str, Any] | None], None]


@dataclass(kw_only=True)
class Listening:
    """Takes connections of any number; `told` gets each message, with its event the first time it comes."""

    context: ssl.SSLContext
    told: Told
    receiving: Receiving = field(default_factory=Receiving)
    connections: int = 0
    server: asyncio.Server | None = None

    async def serve(self, host: str, port: int) -> int:
        """Begin; the port it is."""
        self.server = await asyncio.start_server(self._take, host, port, ssl=self.context)
        return int(self.server.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self.server is not None:
            self.server.close()

    def patience(self) -> int:
        """How many bytes are read of the next connection before it is hung up."""
        return 1 << 62

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left, rest = self.patience(), b""
        try:
            while left > 0 and (data := await reader.read(min(left, 65_536))):
                left -= len(data)
                whole, rest = unframed(rest + data)
                for one in whole:
                    self.told(one, self.receiving.take(one))
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()
