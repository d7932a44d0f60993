"""Cosignatures as C2SP tlog-cosignature tells them: a witness signs a checkpoint and the time it saw it at."""

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from letopis.audit.log.note import DASH, BadNote, check_name, decoded

COSIGNATURE = b"\x04"
TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key with its name."""

    name: str
    key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key) != 32:
            raise BadNote("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x04 || key)[:4]."""
        return sha256(self.name.encode() + b"\n" + COSIGNATURE + self.key).digest()[:4]

    def text(self) -> str:
        """`name+keyid+base64(0x04 || key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(COSIGNATURE + self.key).decode()}"

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """The key told by its text form; BadNote if the text is not exactly one."""
        parts = text.split("+", 2)
        data = decoded(parts[2]) if len(parts) == 3 else b""
        if data[:1] != COSIGNATURE:
            raise BadNote("this is not a witness's verifier key")
        key = cls(parts[0], data[1:])
        if key.key_id.hex() != parts[1]:
            raise BadNote("the key does not have the id it is given")
        return key

    def cosigned(self, line: str, text: str) -> int | None:
        """When this witness signed the checkpoint's text, in Unix seconds, by one signature line.

        None if the line is another's; BadNote if it is this witness's and not valid.
        """
        name, space, signature = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space:
            raise BadNote("a signature line is malformed")
        data = decoded(signature)
        if (name, data[:4]) != (self.name, self.key_id):
            return None
        at = int.from_bytes(data[4 : 4 + TIME_SIZE], "big")
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key)
            public.verify(data[4 + TIME_SIZE :], _message(at, text))
        except InvalidSignature:
            raise BadNote(f"the cosignature of {name} is not valid") from None
        return at


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key with its name."""

    name: str
    key: Ed25519PrivateKey

    def verifier(self) -> WitnessKey:
        """The public half."""
        return WitnessKey(self.name, self.key.public_key().public_bytes_raw())

    def cosign(self, text: str, at: int) -> str:
        """The signature line over a checkpoint's text, seen at `at` Unix seconds, with its newline."""
        signature = self.verifier().key_id + at.to_bytes(TIME_SIZE, "big") + self.key.sign(_message(at, text))
        return f"{DASH}{self.name} {base64.b64encode(signature).decode()}\n"


def _message(at: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
