"""A version is registered once and never changes; the same bundle again is the same version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.version.events import FACTS, VersionFact, VersionRegistered


class VersionDiffers(Refused):
    """The id belongs to another bundle."""

    code = "version.differs"
    title = "This version id belongs to another bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterVersion:
    version_id: str
    model_id: str
    model_name: str
    number: int
    digest: str
    manifest: dict[str, Any]
    author: str
    signature: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregistered:
    """Nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    version_id: str
    model_id: str
    model_name: str
    number: int
    digest: str
    manifest: dict[str, Any]
    author: str


Version = Unregistered | Registered


def decide(state: Version, command: RegisterVersion) -> Sequence[VersionFact]:
    match state:
        case Registered(digest=digest):
            if digest != command.digest:
                raise VersionDiffers
            return []
        case Unregistered():
            return [
                VersionRegistered(
                    version_id=command.version_id,
                    model_id=command.model_id,
                    model_name=command.model_name,
                    number=command.number,
                    digest=command.digest,
                    manifest=command.manifest,
                    author=command.author,
                    signature=command.signature,
                    key_id=command.key_id,
                )
            ]


def evolve(state: Version, fact: VersionFact) -> Version:
    del state
    return Registered(
        version_id=fact.version_id,
        model_id=fact.model_id,
        model_name=fact.model_name,
        number=fact.number,
        digest=fact.digest,
        manifest=fact.manifest,
        author=fact.author,
    )


VERSION = Aggregate("version", Decider[RegisterVersion, VersionFact, Version](Unregistered(), decide, evolve), FACTS)
