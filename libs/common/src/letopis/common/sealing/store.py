"""The key store as services meet it: over HTTP, with a secret of one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec

from letopis.common.errors import Unavailable
from letopis.common.private_files import read_private
from letopis.common.sealing.sealed import Key


class KeysAway(Unavailable):
    """No key is at hand, and the key store gives none."""

    code = "sealing.keys_away"
    title = "The key store is away, so nothing personal of this subject can be recorded or read; try again"


class Issued(msgspec.Struct, frozen=True):
    """A key on its way."""

    id: str
    secret: bytes


class Destroyed(msgspec.Struct, frozen=True):
    """One line of what was destroyed: everything of a subject, or a single key."""

    seq: int
    subject: str
    key_id: str


class KeyStore(Protocol):
    """What a service may ask; every method may raise KeysAway."""

    async def issue(self, count: int, subject: str = "") -> Sequence[Key]:
        """Fresh keys that belong to nobody yet, or to the subject named."""
        ...

    async def fetch(self, ids: Iterable[str]) -> dict[str, Key]:
        """Those of these keys that still exist and that the caller may hold."""
        ...

    async def destroyed(self, after: int) -> Sequence[Destroyed]:
        """What was destroyed after a sequence number, in order."""
        ...


@dataclass(slots=True)
class HttpKeyStore:
    """The key store behind its address."""

    http: httpx.AsyncClient
    url: str
    secret_file: Path | None
    _secret: str = field(default="", repr=False)

    async def issue(self, count: int, subject: str = "") -> Sequence[Key]:
        told = await self.ask("/v1/keys", {"count": count, "subject": subject}, list[Issued])
        return [Key(one.id, one.secret) for one in told]

    async def fetch(self, ids: Iterable[str]) -> dict[str, Key]:
        told = await self.ask("/v1/keys/fetch", {"ids": list(ids)}, list[Issued])
        return {one.id: Key(one.id, one.secret) for one in told}

    async def destroyed(self, after: int) -> Sequence[Destroyed]:
        told: list[Destroyed] = await self.ask("/v1/destroyed", {"after": after}, list[Destroyed])
        return told

    async def ask(self, path: str, body: dict[str, Any], kind: Any) -> Any:
        try:
            answer = await self.http.post(
                self.url.rstrip("/") + path,
                content=msgspec.json.encode(body),
                headers={"authorization": f"Bearer {self._own()}", "content-type": "application/json"},
                timeout=5,
            )
        except (httpx.HTTPError, OSError) as error:
            raise KeysAway("the key store cannot be reached; try again") from error
        if answer.status_code != httpx.codes.OK:
            raise KeysAway(f"the key store answered {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise KeysAway("what answers at the key store's address is no key store") from error

    def _own(self) -> str:
        if not self._secret:
            if self.secret_file is None:
                raise KeysAway("this service has no secret for the key store; set its SUBJECT_KEYS_SECRET_FILE")
            self._secret = read_private(self.secret_file).strip()
        return self._secret
