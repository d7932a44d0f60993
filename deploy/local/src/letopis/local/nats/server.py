"""The NATS server: configuration, program, and whether it answers."""

import json
import shutil
import socket
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from letopis.local.child import PartError, Program
from letopis.local.nats.permissions import NatsUser


def binary() -> str:
    """The server beside our interpreter, or else on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise PartError("nats-server is not installed: install letopis[local] or set LETOPIS_NATS_URL")
    return found


def configuration(data: Path, host: str, port: int, users: Iterable[NatsUser]) -> str:
    """The server's configuration (JSON is valid in its language): nkeys only, every message synced to disk."""
    return json.dumps(
        {
            "listen": f"{host}:{port}",
            "server_name": "letopis",
            # A segment holds up to a thousand facts, compressed.
            "max_payload": 8 << 20,
            "jetstream": {"store_dir": str(data), "sync_interval": "always"},
            "authorization": {"users": [_user(user) for user in users]},
        },
        indent=1,
    )


def _user(user: NatsUser) -> dict[str, object]:
    publish: dict[str, object] = {"allow": list(user.publish)}
    if user.publish_denied:
        publish["deny"] = list(user.publish_denied)
    return {
        "nkey": user.public_key,
        "permissions": {"publish": publish, "subscribe": {"allow": list(user.subscribe)}},
    }


def program(data: Path, log: Path, host: str, port: int, users: Iterable[NatsUser]) -> Program:
    """The server over a store directory; its configuration is written anew."""
    return Program(argv=[binary(), "-c", str(configure(data, host, port, users))], log=log)


def configure(data: Path, host: str, port: int, users: Iterable[NatsUser]) -> Path:
    """Write the configuration; a server that runs reads it again at SIGHUP."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    conf = data / "nats.conf"
    conf.touch(mode=0o600)
    aside = data / ".nats.conf"
    aside.touch(mode=0o600)
    aside.write_text(configuration(data, host, port, users), "utf-8")
    return aside.rename(conf)


def answers(host: str, port: int) -> bool:
    """Whether the server greets with INFO and JetStream is on."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            greeting = connection.makefile("rb").readline()
    except OSError:
        return False
    return greeting.startswith(b"INFO ") and bool(json.loads(greeting[5:]).get("jetstream"))
