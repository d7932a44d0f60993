"""The master secret of tokens: made once, readable by its owner alone."""

import os
import secrets
from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.common.private_files import read_private


class SecretUnsafe(LetopisError):
    """The file is not what we wrote; the service does not start."""

    code = "tokens.secret_unsafe"
    title = "The token key file must hold at least 32 bytes in hex"


def master_secret(path: Path) -> bytes:
    """The secret in the file; the file is made if it is not there.

    Whoever loses it loses every join with tokens made before; replicas of the service share it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link does not replace: if another process was first, its secret stands.
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    try:
        secret = bytes.fromhex(read_private(path).strip())
    except ValueError as error:
        raise SecretUnsafe(f"{path} is not hex") from error
    if len(secret) < 32:
        raise SecretUnsafe(f"{path} is too short")
    return secret
