"""What is known of a version."""

from dataclasses import dataclass
from typing import Any

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRegistered:
    """A bundle, whole: its manifest, the digest of the manifest, and the registry's signature over that."""

    version_id: str
    model_id: str
    model_name: str
    number: int
    digest: str
    manifest: dict[str, Any]
    author: str
    signature: str
    key_id: str


VersionFact = VersionRegistered

FACTS = Catalogue([("registry.version.registered", 1, VersionRegistered)])
