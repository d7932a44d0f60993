"""Signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint), read strictly."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from . import ed25519
from .fault import Bad

DASH = "\N{EM DASH} "
_CONTROL = re.compile("[\0-\t\v-\x1f]")

# Trusted keys by name; each 32 bytes of Ed25519.
Keys = Mapping[str, bytes]


@dataclass(frozen=True)
class Head:
    """A tree head that a trusted key signed."""

    origin: str
    size: int
    root: bytes


def strict64(text: str) -> bytes:
    """Base64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Bad("the base64 is not valid") from None
    if base64.b64encode(data).decode() != text:
        raise Bad("the base64 is not the one spelling of its bytes")
    return data


def keys_of(text: str) -> dict[str, bytes]:
    """Verifier keys, one a line: `name+keyid+base64(0x01 || key)`."""
    keys = {}
    for line in text.splitlines():
        parts = line.split("+", 2)
        data = strict64(parts[2]) if len(parts) == 3 else b""
        if len(data) != 33 or data[0] != 1 or _key_id(parts[0], data[1:]).hex() != parts[1]:
            raise Bad(f"{line!r} is not a verifier key")
        keys[parts[0]] = data[1:]
    if not keys:
        raise Bad("there is no key")
    return keys


def opened(data: bytes, keys: Keys) -> str:
    """The text of a note all of whose signatures are by keys trusted here, and valid."""
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise Bad("the note is not UTF-8") from None
    text, empty, tail = note.rpartition("\n\n")
    if not empty or not tail.endswith("\n") or _CONTROL.search(note):
        raise Bad("this is not a signed note")
    text += "\n"
    seen = set()
    for line in tail[:-1].split("\n"):
        name, space, signature = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space:
            raise Bad("a signature line is malformed")
        if name in seen:
            raise Bad(f"{name} signs twice")
        seen.add(name)
        key = keys.get(name)
        if key is None:
            raise Bad(f"{name} is not a key that is trusted here")
        signed = strict64(signature)
        if signed[:4] != _key_id(name, key) or not ed25519.verify(key, text.encode(), signed[4:]):
            raise Bad(f"the signature of {name} is not valid")
    return text


def head_of(data: bytes, keys: Keys) -> Head:
    """The checkpoint of a signed note: origin, size, root, nothing else."""
    lines = opened(data, keys).split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise Bad("the note is not a checkpoint")
    origin, size, digest = lines[:3]
    # Python refuses to read a number of thousands of digits, in words of its own.
    if not (size.isascii() and size.isdigit() and len(size) < 20) or str(int(size)) != size:
        raise Bad("the tree size is not a plain number")
    root = strict64(digest)
    if len(root) != 32:
        raise Bad("the root is not a SHA-256")
    return Head(origin, int(size), root)


def _key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n\x01" + key).digest()[:4]
