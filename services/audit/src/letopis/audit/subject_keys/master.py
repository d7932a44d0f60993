"""The master key that wraps all others: a private file here; an HSM or KMS has the same three methods."""

import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from letopis.common.errors import LetopisError
from letopis.common.private_files import PrivateDocument, make_private_folder

NONCE = 12
NAME = 8


class MasterMissing(LetopisError):
    """Keys were wrapped under a master key that is not here."""

    code = "subject_keys.master_missing"
    title = "The master key of the key store is missing; bring back its folder from where keys are kept"


class Master:
    """Wraps with AES-256-GCM under the current master key; the key's id is the associated data."""

    def __init__(self, file: Path) -> None:
        make_private_folder(file.parent)
        self._file = file
        self._document = PrivateDocument(file)

    @property
    def there(self) -> bool:
        return self._file.exists()

    def renew(self) -> None:
        """Make another master key, which wraps from now on; the ones before still unwrap."""
        with self._document.change() as told:
            name = secrets.token_hex(NAME // 2)
            told["current"] = name
            told["keys"] = {**told.get("keys", {}), name: b64encode(os.urandom(32)).decode()}

    def shred(self) -> None:
        """Forget all master keys but the current one, for ever."""
        with self._document.change() as told:
            told["keys"] = {told["current"]: told["keys"][told["current"]]}

    def wrap(self, id: str, secret: bytes) -> bytes:
        """The key as it is stored: the master key's name, a nonce, ciphertext and tag."""
        told = self._told()
        nonce = os.urandom(NONCE)
        sealed = AESGCM(b64decode(told["keys"][told["current"]])).encrypt(nonce, secret, bytes.fromhex(id))
        return str(told["current"]).encode() + nonce + sealed

    def unwrap(self, id: str, wrapped: bytes) -> bytes:
        """The key's bytes; MasterMissing if they were wrapped under a master key that is not here."""
        key = self._told()["keys"].get(wrapped[:NAME].decode("ascii", "replace"))
        if key is None:
            raise MasterMissing
        try:
            nonce, sealed = wrapped[NAME : NAME + NONCE], wrapped[NAME + NONCE :]
            return AESGCM(b64decode(key)).decrypt(nonce, sealed, bytes.fromhex(id))
        except InvalidTag as error:
            raise MasterMissing(f"key {id} does not unwrap under its master key") from error

    def _told(self) -> dict[str, Any]:
        told = self._document.read()
        if not told:
            raise MasterMissing
        return told
