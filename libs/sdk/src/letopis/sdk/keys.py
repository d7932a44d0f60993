"""The key with which a person signs approvals: made here, kept here, only its public half leaves."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from letopis.common.identity.approval import key_id
from letopis.common.private_files import read_private, write_private
from letopis.sdk.client import Letopis
from letopis.sdk.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalKey:
    """A private Ed25519 key and the id that facts know it by."""

    key_id: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The raw public key in base64."""
        return b64encode(self.private.public_key().public_bytes_raw()).decode()


def key_path(client: Letopis) -> Path:
    """Where the key of this login at this provider lies."""
    return client.logins.folder / f"{client.login.replace(':', '_')}.approval-key.pem"


def make_key(client: Letopis) -> ApprovalKey:
    """A new key in place of any before, mode 0600."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(key_path(client), pem)
    return _named(key)


def load_key(client: Letopis) -> ApprovalKey:
    """The key; a Problem that says how to make one if there is none."""
    try:
        key = load_pem_private_key(read_private(key_path(client)).encode(), None)
    except FileNotFoundError:
        raise Problem(
            {
                "code": "key.missing",
                "title": f"{client.login} has no approval key here",
                "remedy": "`letopis key enroll` makes one and enrolls it",
            }
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Problem({"code": "key.kind", "title": f"{key_path(client)} holds no Ed25519 key"})
    return _named(key)


def enroll(client: Letopis, *, new: bool = False) -> ApprovalKey:
    """Make a key if there is none (or `new`), and post its public half to the registry under the own login."""
    key = make_key(client) if new or not key_path(client).exists() else load_key(client)
    client.registry.post(f"/v1/principals/{client.login}/keys", {"public_key": key.public})
    return key


def _named(key: Ed25519PrivateKey) -> ApprovalKey:
    return ApprovalKey(key_id=key_id(key.public_key().public_bytes_raw()), private=key)
