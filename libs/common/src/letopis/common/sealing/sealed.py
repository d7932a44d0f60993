"""The sealed value: AES-256-GCM (NIST SP 800-38D) as one text that names its key, bound to its place. Pure.

`sealed.v1.<key id, 32 hex digits>.<base64url of nonce, ciphertext and tag, without padding>`. The associated data are
ledger, type, event id, field and subject, so a value that is moved anywhere else does not open.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from letopis.common.errors import EventStoreError

PREFIX = "sealed.v1."
NONCE = 12
KEY = 32
_SHAPE = re.compile(rb"sealed\.v1\.([0-9a-f]{32})\.[A-Za-z0-9_-]+")


class SealBroken(EventStoreError):
    """The value was changed, or moved from another fact or field."""

    code = "sealing.broken"
    title = "A sealed value does not belong where it stands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value belongs."""

    ledger: str
    type: str
    event_id: UUID
    field: str
    subject: str

    @property
    def bound(self) -> bytes:
        """The associated data; none of the parts but the last holds a line feed."""
        told = f"letopis-sealed-v1\n{self.ledger}\n{self.type}\n{self.event_id}\n{self.field}\n{self.subject}"
        return told.encode()


@dataclass(frozen=True)
class Key:
    """A subject's key. Its bytes are shown in no text that Python makes of it."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id})"

    @cached_property
    def cipher(self) -> AESGCM:
        """Made when first used and kept, for making it costs as much as sealing."""
        return AESGCM(self.secret)


def seal(key: Key, place: Place, content: bytes, nonce: bytes) -> str:
    """The text of a content; `nonce` are twelve random bytes that MUST never be used again with this key."""
    sealed = nonce + key.cipher.encrypt(nonce, content, place.bound)
    return f"{PREFIX}{key.id}.{urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def unseal(key: Key, place: Place, text: str) -> bytes:
    """The content; SealBroken if the text is not what was sealed at this place."""
    encoded = text.removeprefix(f"{PREFIX}{key.id}.")
    try:
        sealed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return key.cipher.decrypt(sealed[:NONCE], sealed[NONCE:], place.bound)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"{place.type} {place.event_id}, field {place.field}") from error


def is_sealed(value: object) -> bool:
    """Whether this is the text of a sealed value."""
    return isinstance(value, str) and _SHAPE.fullmatch(value.encode()) is not None


def key_id(text: str) -> str:
    """The id of the key that a sealed value names."""
    return text.removeprefix(PREFIX)[:32]


def key_ids(data: bytes) -> set[str]:
    """The ids of all keys named in stored bytes."""
    return {found.decode() for found in _SHAPE.findall(data)}
