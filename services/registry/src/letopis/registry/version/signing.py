"""The registry's own key, with which it signs every version."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from letopis.registry.version.manifest import statement


class SigningKeyError(Exception):
    """The key file does not hold an Ed25519 private key."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs version digests with Ed25519."""

    key: Ed25519PrivateKey

    @classmethod
    def from_file(cls, path: Path) -> "Signer":
        """Read a PKCS8 PEM file; SigningKeyError if it is none."""
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyError(f"{path} does not hold an Ed25519 key")
        return cls(key)

    @property
    def public_key(self) -> str:
        """The raw public key in base64."""
        return b64encode(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of SHA-256 of the raw public key."""
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return sha256(raw).hexdigest()[:16]

    def sign(self, digest: str) -> str:
        """The signature over a version's digest, base64."""
        return b64encode(self.key.sign(statement(digest))).decode()

    def state(self, prefix: str, digest: str) -> str:
        """The signature over another statement about a digest; each kind has a prefix of its own. Base64."""
        return b64encode(self.key.sign(f"{prefix}{digest}".encode())).decode()
