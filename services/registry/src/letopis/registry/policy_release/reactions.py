"""A published policy becomes the bundle that the engine loads: composed, signed, verified, then put in its place."""

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from letopis.common.policy.amending import amended
from letopis.common.policy.bundle import build, public_half, verify_bundle
from letopis.common.policy.sources import Room, bundle_of
from letopis.common.projecting import Told
from letopis.common.reacting import Reaction
from letopis.registry.policy_release.composing import values
from letopis.registry.policy_release.events import FACTS, PolicyPublished

ARCHIVE = "bundle.tar.gz"
RELEASE = "release.json"
HEAD_START = 1.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstallPolicy:
    """Writes into the folder that the engine watches; a repetition writes the same again."""

    rooms: Sequence[Room]
    key_file: Path
    folder: Path

    async def __call__(self, told: Told) -> None:
        if isinstance(told.fact, PolicyPublished):
            # Every service shall have heard of the release before its engine answers by it.
            await asyncio.sleep(HEAD_START)
            await asyncio.to_thread(self.install, told.fact, told.record.position)

    def install(self, fact: PolicyPublished, position: int) -> None:
        """The release first: whoever starts between the two composes it and gets the same bundle."""
        changes = values(fact.changes)
        if bundle_of(self.rooms).revision != fact.base:
            # Published over other rooms than are installed now; whoever started these composed their policy.
            return
        if position < _installed(self.folder / RELEASE):
            return
        key = self.key_file.read_bytes()
        bundle = amended(self.rooms, changes)
        archive = build(bundle, key)
        verify_bundle(archive, public_half(key))
        release = {"release_id": fact.release_id, "position": position, "base": fact.base, "changes": changes}
        _put(self.folder / RELEASE, json.dumps(release | {"revision": bundle.revision}).encode())
        _put(self.folder / ARCHIVE, archive)
        _log.warning("another policy is in force", extra={"revision": bundle.revision, "release": fact.release_id})

    def reaction(self) -> Reaction:
        return Reaction(name="install_policy", sources={"registry": FACTS}, react=self)


def _installed(file: Path) -> int:
    try:
        position: int = json.loads(file.read_bytes())["position"]
    except FileNotFoundError:
        return 0
    return position


def _put(file: Path, data: bytes) -> None:
    aside = file.with_suffix(file.suffix + ".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    aside.rename(file)
