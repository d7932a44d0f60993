"""Signed notes and checkpoints as C2SP signed-note and tlog-checkpoint tell them, with Ed25519."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
DASH = "\N{EM DASH} "
MOST_SIGNATURES = 100
# Digits of a tree size; Python refuses to read a number of thousands of them, in words of its own.
LONGEST_SIZE = 19


class BadNote(Exception):
    """A note is malformed, or not signed by a key that is trusted here."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name; its text form is what Go's sumdb calls a verifier key."""

    name: str
    key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key) != 32:
            raise BadNote("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || key)[:4]."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def text(self) -> str:
        """`name+keyid+base64(0x01 || key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """The key told by its text form; BadNote if the text is not exactly one."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise BadNote("a verifier key has three parts")
        data = decoded(parts[2])
        if data[:1] != ED25519:
            raise BadNote("the key is of a kind that is not known here")
        key = cls(parts[0], data[1:])
        if key.key_id.hex() != parts[1]:
            raise BadNote("the key does not have the id it is given")
        return key


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    key: Ed25519PrivateKey

    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The signature line of a note's text, with its newline."""
        signature = self.verifier().key_id + self.key.sign(text.encode())
        return f"{DASH}{self.name} {base64.b64encode(signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text: origin, size and root, a line each."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint a note text tells; BadNote unless in the one spelling (extension lines pass)."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise BadNote("a checkpoint has three lines")
        origin, size, root = lines[:3]
        if not (size.isascii() and size.isdigit() and len(size) <= LONGEST_SIZE) or str(int(size)) != size:
            raise BadNote("the tree size is not a plain number")
        digest = decoded(root)
        if len(digest) != 32:
            raise BadNote("the root is not a SHA-256")
        return cls(origin, int(size), digest)


def sign_note(text: str, *signers: Signer) -> str:
    """The note: the text, an empty line, a signature line for each signer."""
    _check_text(text)
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def open_note(note: str, trusted: Sequence[Verifier]) -> str:
    """The text of a note that at least one trusted key signed; a bad signature of a trusted key spoils it."""
    text, _, tail = note.rpartition("\n\n")
    text += "\n"
    _check_text(text)
    if not tail.endswith("\n"):
        raise BadNote("the note does not end with a signature line")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("the note has too many signatures")
    known = {(key.name, key.key_id): key for key in trusted}
    signed = False
    for line in lines:
        name, space, signature = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space:
            raise BadNote("a signature line is malformed")
        check_name(name)
        data = decoded(signature)
        if len(data) < 5:
            raise BadNote("a signature is too short")
        key = known.get((name, data[:4]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(data[4:], text.encode())
        except InvalidSignature:
            raise BadNote(f"the signature of {name} is not valid") from None
        signed = True
    if not signed:
        raise BadNote("no key trusted here signed the note")
    return text


def decoded(text: str) -> bytes:
    """Strict base64: the one spelling of its bytes, or BadNote."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("the base64 is not valid") from None
    if base64.b64encode(data).decode() != text:
        raise BadNote("the base64 is not the one spelling of its bytes")
    return data


def check_name(name: str) -> None:
    if not name or "+" in name or any(letter.isspace() or letter < " " for letter in name):
        raise BadNote(f"{name!r} cannot be a key's name")


def _check_text(text: str) -> None:
    if len(text) < 2 or not text.endswith("\n") or any(letter < " " and letter != "\n" for letter in text):
        raise BadNote("the text of a note ends in a newline and has no control characters")
