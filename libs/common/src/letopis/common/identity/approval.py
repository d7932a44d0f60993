"""The statement a person signs when they approve or reject: exact digests under their own Ed25519 key."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import asdict, dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from letopis.common.serialization import canonical

HEADER = b"letopis-approval-v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStatement:
    """What is signed: all strings; `verdict` is approve or reject."""

    promotion: str
    verdict: str
    version_digest: str
    environment_digest: str
    policy_revision: str
    person: str
    key_id: str


def statement_bytes(statement: ApprovalStatement) -> bytes:
    """The signed bytes: the header line, then RFC 8785 JSON (names are ASCII, so they sort as bytes)."""
    return HEADER + canonical(asdict(statement))


def key_id(public_key: bytes) -> str:
    """The first 16 hex digits of SHA-256 of the raw 32-byte public key."""
    return sha256(public_key).hexdigest()[:16]


def sign(statement: ApprovalStatement, key: Ed25519PrivateKey) -> str:
    """The Ed25519 signature (RFC 8032) in base64; ValueError if the statement names another key."""
    if statement.key_id != key_id(key.public_key().public_bytes_raw()):
        raise ValueError("the statement names another key than the one that signs")
    return b64encode(key.sign(statement_bytes(statement))).decode()


def verify(statement: ApprovalStatement, signature: str, public_key: str) -> bool:
    """Whether the base64 signature is by this key (raw, base64) and over exactly this statement."""
    try:
        raw = b64decode(public_key, validate=True)
        if statement.key_id != key_id(raw):
            return False
        Ed25519PublicKey.from_public_bytes(raw).verify(b64decode(signature, validate=True), statement_bytes(statement))
    except (InvalidSignature, NotBase64, ValueError):
        return False
    return True
