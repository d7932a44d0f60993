"""`letopis witness`: what internal audit or a regulator runs, alone, on a machine of its own."""

import sys
from pathlib import Path
from typing import Annotated

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cyclopts import App, Parameter

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.log.note import BadNote, Verifier
from letopis.audit.witness.cosignature import Cosigner
from letopis.audit.witness.serving import create_app
from letopis.audit.witness.watching import Witness
from letopis.common.clock import SystemClock
from letopis.common.errors import LetopisError
from letopis.common.ledgers import LEDGERS
from letopis.common.private_files import make_private_folder, read_private, write_private

app = App(name="witness", help="Sign the chronicle's checkpoints from outside, as long as it only grows.")


@app.command
def init(
    *,
    state: Path,
    name: str,
    audit: str = "",
    log: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006 cyclopts reads the default
) -> int:
    """Make a witness: its key and the logs it watches, in a folder of its own.

    Parameters
    ----------
    state
        The folder; keep it for good, and never restore it from an old backup.
    name
        The witness's name, such as `witness.example/audit`.
    audit
        The audit service's address: its logs' keys are taken from there; compare them with those published to you.
    log
        Verifier keys of logs, if you have them from elsewhere.
    """
    if (state / "key.pem").exists():
        return _failed(f"{state} holds a witness already; its key and its memory stay")
    try:
        logs = [Verifier.parse(one) for one in [*log, *(_published(audit) if audit else [])]]
        cosigner = Cosigner(name, Ed25519PrivateKey.generate())
        shown = cosigner.verifier().text()
    except (BadNote, httpx.HTTPError) as error:
        return _failed(str(error))
    if not logs:
        return _failed("name the logs to watch: --audit URL, or --log KEY once for each")
    make_private_folder(state)
    (state / "logs").write_text("".join(f"{one.text()}\n" for one in logs), "utf-8")
    (state / "name").write_text(f"{name}\n", "utf-8")
    pem = cosigner.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(state / "key.pem", pem.decode())
    _say(f"watches {len(logs)} logs; give this key to the bank and to whoever verifies:\n{shown}")
    return 0


@app.command
def run(*, state: Path, port: int = 7480, host: str = "127.0.0.1") -> int:
    """Answer `POST /add-checkpoint` until stopped."""
    try:
        witness = opened(state)
    except (OSError, BadNote, ValueError, TypeError, LetopisError) as error:
        return _failed(f"{state} holds no witness: {error}; make one: letopis witness init")
    _say(f"{witness.cosigner.verifier().text()}\nanswers on http://{host}:{port}")
    uvicorn.run(create_app(witness), host=host, port=port, log_level="warning", server_header=False)
    return 0


def opened(state: Path) -> Witness:
    """The witness of a folder."""
    key = load_pem_private_key(read_private(state / "key.pem").encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("key.pem holds no Ed25519 key")
    logs = [Verifier.parse(line) for line in (state / "logs").read_text("utf-8").splitlines()]
    return Witness(
        cosigner=Cosigner((state / "name").read_text("utf-8").strip(), key),
        logs={one.name: one for one in logs},
        heads=LockStore(state / "heads.sqlite"),
        clock=SystemClock(),
    )


def _published(audit: str) -> list[str]:
    with httpx.Client(base_url=audit, timeout=10, trust_env=False) as client:
        return [client.get(f"/log/{ledger}/key").raise_for_status().text.strip() for ledger in LEDGERS]


def _failed(what: str) -> int:
    sys.stderr.write(f"{what}\n")
    return 2


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
