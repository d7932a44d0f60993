"""Audit's signed head of the decisions ledger (C2SP tlog-checkpoint): what it covers may leave the journal."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from letopis.common.errors import Invalid
from letopis.common.private_files import read_private, write_private

_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointKey:
    """The log's verifier key: `name+keyid+base64(0x01 || Ed25519 public key)`."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "CheckpointKey":
        """The key told by its text; Invalid if it is none."""
        try:
            name, key_id, key = text.strip().split("+", 2)
            raw = base64.b64decode(key, validate=True)
            known = bytes.fromhex(key_id)
        except (ValueError, binascii.Error):
            raise Invalid("the checkpoint key is no C2SP verifier key") from None
        if len(raw) != 33 or raw[0] != 1 or len(known) != 4:
            raise Invalid("the checkpoint key is no Ed25519 verifier key")
        return cls(name=name, key_id=known, public=raw[1:])


def covered(note: str, key: CheckpointKey) -> int:
    """How many facts a checkpoint signed by this key covers; Invalid if the key did not sign it."""
    text, parted, tail = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not parted or len(lines) < 4 or not lines[1].isdigit():
        raise Invalid("this is no checkpoint")
    for line in tail.splitlines():
        name, _, signature = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or name != key.name:
            continue
        try:
            data = base64.b64decode(signature, validate=True)
            if data[:4] == key.key_id:
                Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], text.encode())
                return int(lines[1])
        except (InvalidSignature, binascii.Error):
            break
    raise Invalid("the checkpoint is not signed by the log's key")


@dataclass(slots=True)
class SignedHead:
    """Where audit publishes its checkpoint of the decisions ledger.

    Without a key given beforehand, the log's key is pinned in `pinned` when it is first met and never replaced by
    itself: another log cannot talk us into deleting segments later. A bank gives the key.
    """

    http: httpx.AsyncClient
    audit_url: str
    key: CheckpointKey | None
    pinned: Path | None = None

    async def size(self) -> int:
        """Facts covered by a valid checkpoint; 0 while audit is away or its key is not known here."""
        try:
            key = self.key = self.key or await self._met()
            if key is None:
                return 0
            return covered(await self._text("checkpoint"), key)
        except (httpx.HTTPError, Invalid):
            return 0

    async def _met(self) -> CheckpointKey | None:
        if self.pinned is None:
            return None
        if not self.pinned.exists():
            text = await self._text("key")
            CheckpointKey.parse(text)
            write_private(self.pinned, text)
        return CheckpointKey.parse(read_private(self.pinned))

    async def _text(self, name: str) -> str:
        answer = await self.http.get(f"{self.audit_url}/log/decisions/{name}")
        answer.raise_for_status()
        return answer.text
