"""The key store as audit meets it: told whose keys are whose, and told to destroy. Audit never sees a key."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from letopis.common.sealing import HttpKeyStore


class Counted(msgspec.Struct, frozen=True):
    """How many keys of a subject there are."""

    living: int
    destroyed: int


@dataclass(frozen=True, slots=True)
class KeyOffice:
    """Every method may raise KeysAway."""

    store: HttpKeyStore

    async def assign(self, keys: Mapping[str, str]) -> list[str]:
        """Say to whom keys belong; those of people erased already are destroyed. Those that are gone."""
        told: list[str] = await self.store.ask("/v1/subjects/keys", {"keys": dict(keys)}, list[str])
        return told

    async def count(self, subject: str) -> Counted:
        told: Counted = await self.store.ask("/v1/subjects/find", {"subject": subject}, Counted)
        return told

    async def destroy(self, subject: str, erasure_id: str) -> list[str]:
        """Destroy every key of the subject; the ids. Asked again it answers the same."""
        body = {"subject": subject, "erasure_id": erasure_id}
        told: list[str] = await self.store.ask("/v1/subjects/destroy", body, list[str])
        return told
