"""An inclusion proof and its signed head, checked by these few lines and nothing of audit's.

Sources: RFC 9162 section 2.1.3.2 (the algorithm; trees are those of RFC 6962), C2SP tlog-checkpoint, signed-note.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DASH = "\N{EM DASH} "
ED25519 = b"\x01"


class NotProved(Exception):
    """Something in the proof does not fit; the text says what, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A tree head: which log, how many leaves, which root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def signed_head(note: str, key: str) -> Head:
    """The head of a checkpoint that the key (`name+id+base64`) signed; NotProved otherwise."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    name, public = _key(key)
    key_id = sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]
    for line in signatures.splitlines():
        signer, _, encoded = line.removeprefix(DASH).rpartition(" ")
        signature = _base64(encoded)
        if line.startswith(DASH) and signer == name and signature[:4] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
            except InvalidSignature:
                raise NotProved("the signature under the checkpoint is not valid") from None
            return _head(text, name)
    raise NotProved("the checkpoint is not signed by the log's key")


def check_inclusion(leaf: bytes, index: int, head: Head, path: Sequence[bytes]) -> None:
    """That the leaf hash (32 bytes) stands at `index` (from 0) of the tree; NotProved if the path says otherwise."""
    if not 0 <= index < head.size:
        raise NotProved(f"there is no leaf {index} in a tree of {head.size}")
    node, last, value = index, head.size - 1, leaf
    for sibling in path:
        if last == 0:
            raise NotProved("the path is too long")
        if node & 1 or node == last:
            value = sha256(b"\x01" + sibling + value).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + sibling).digest()
        node, last = node >> 1, last >> 1
    if last != 0 or value != head.root:
        raise NotProved("the record does not lead to the signed root: it is not what was sealed")


def _head(text: str, name: str) -> Head:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[1].isdecimal() or lines[0] != name:
        raise NotProved("the checkpoint is not one of this log")
    return Head(origin=lines[0], size=int(lines[1]), root=_base64(lines[2]))


def _key(text: str) -> tuple[str, bytes]:
    parts = text.strip().split("+", 2)
    data = _base64(parts[2]) if len(parts) == 3 else b""
    if len(data) != 33 or data[:1] != ED25519:
        raise NotProved("the log's key is not an Ed25519 key")
    return parts[0], data[1:]


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise NotProved("the checkpoint is malformed") from None
