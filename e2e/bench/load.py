"""A plain HTTP/1.1 load generator: connections that are kept, requests one after another on each."""

import asyncio
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds for each request in order of size, and the wall-clock time of all."""

    seconds: list[float]
    wall: float

    def quantile(self, share: float) -> float:
        return self.seconds[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.wall


async def load(port: int, requests: list[bytes], *, connections: int, count: int) -> Measured:
    """Send `count` requests over `connections` connections; RuntimeError unless every answer is 200."""
    each = count // connections
    begin = perf_counter()
    told = await asyncio.gather(*(_connection(port, requests, each, number) for number in range(connections)))
    wall = perf_counter() - begin
    return Measured(seconds=sorted(second for one in told for second in one), wall=wall)


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{named}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _connection(port: int, requests: list[bytes], count: int, offset: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seconds = []
    for number in range(count):
        began = perf_counter()
        writer.write(requests[(number + offset) % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
        seconds.append(perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode() + body.decode())
    writer.close()
    return seconds
