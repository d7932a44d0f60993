"""Personal fields: sealed under the keys of those they are about, opened for those who may, unreadable once erased."""

from letopis.common.sealing.keyring import Keyring, Sealer
from letopis.common.sealing.opening import OpenedLedger, opened_record
from letopis.common.sealing.sealed import Key, Place, is_sealed, key_ids
from letopis.common.sealing.store import HttpKeyStore, KeysAway

__all__ = [
    "HttpKeyStore",
    "Key",
    "Keyring",
    "KeysAway",
    "OpenedLedger",
    "Place",
    "Sealer",
    "is_sealed",
    "key_ids",
    "opened_record",
]
