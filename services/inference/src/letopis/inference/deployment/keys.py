"""The registry's public keys, by which signatures of versions are checked at load."""

import base64
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx

from letopis.common.errors import Unavailable


@dataclass(slots=True)
class RegistryKeys:
    """Keys by id. A key file, where given, is the only source: then no one on the network can name another."""

    http: httpx.AsyncClient
    registry_url: str
    file: Path | None = None
    known: dict[str, str] = field(default_factory=dict)

    async def get(self, key_id: str) -> dict[str, str]:
        """The known keys, asked anew if this one is not among them; Unavailable while the registry is away."""
        if key_id in self.known:
            return self.known
        if self.file is not None:
            text = self.file.read_text("ascii").strip()
            raw = base64.b64decode(text, validate=True)
            self.known[sha256(raw).hexdigest()[:16]] = text
            return self.known
        try:
            answer = await self.http.get(f"{self.registry_url}/v1/keys")
            answer.raise_for_status()
            told = answer.json()
            raw = base64.b64decode(told["public_key"], validate=True)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("the registry's public key cannot be had") from error
        self.known[sha256(raw).hexdigest()[:16]] = told["public_key"]
        return self.known
