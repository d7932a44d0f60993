"""Keys for tests of what stands above them: a key store in memory, and sealers that need no store."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from letopis.common.envelope import Record
from letopis.common.sealing.keyring import Keyring, Sealer
from letopis.common.sealing.opening import opened_record
from letopis.common.sealing.sealed import KEY, PREFIX, Key
from letopis.common.sealing.store import Destroyed, KeysAway
from letopis.common.serialization import Catalogue


@dataclass(slots=True)
class MemoryKeyStore:
    """Keeps keys as the real store does; `away` makes it refuse, as a store that cannot be reached."""

    away: bool = False
    keys: dict[str, Key] = field(default_factory=dict)
    gone: list[Destroyed] = field(default_factory=list)

    async def issue(self, count: int, subject: str = "") -> Sequence[Key]:
        del subject
        self._here()
        made = [Key(os.urandom(16).hex(), os.urandom(KEY)) for _ in range(count)]
        self.keys |= {one.id: one for one in made}
        return made

    async def fetch(self, ids: Iterable[str]) -> dict[str, Key]:
        self._here()
        return {id: self.keys[id] for id in ids if id in self.keys}

    async def destroyed(self, after: int) -> Sequence[Destroyed]:
        self._here()
        return self.gone[after:]

    def destroy(self, subject: str, *ids: str) -> None:
        """What an erasure does."""
        for name, id in [(subject, ""), *(("", one) for one in ids)]:
            self.keys.pop(id, None)
            self.gone.append(Destroyed(len(self.gone) + 1, name, id))

    def _here(self) -> None:
        if self.away:
            raise KeysAway


class EndlessKeys(Keyring):
    """A key for every subject, made on the spot."""

    def key_for(self, subject: str) -> Key:
        """The subject's key."""
        if subject not in self._of:
            self._of[subject] = Key(os.urandom(16).hex(), os.urandom(KEY))
            if isinstance(self.store, MemoryKeyStore):
                self.store.keys[self._of[subject].id] = self._of[subject]
        return self._of[subject]


def opened(records: Iterable[Record], facts: Catalogue, keyring: Keyring) -> list[Record]:
    """The records with their personal fields in clear, by the keys of a store in memory."""
    store = keyring.store
    assert isinstance(store, MemoryKeyStore)
    return [opened_record(one, facts, store.keys) for one in records]


def same_seal(subject: str, field: str, content: bytes) -> str:
    """A sealed text that is the same in every run, for golden files; nothing opens it."""
    id = sha256(f"{subject} {field}".encode()).hexdigest()[:32]
    return f"{PREFIX}{id}.{sha256(content).hexdigest()}"


def sealer(ledger: str, keyring: Keyring | None = None) -> Sealer:
    """A sealer for facts that a test stores; give it a keyring to open them again."""
    return Sealer(keyring or EndlessKeys(MemoryKeyStore()), ledger)
