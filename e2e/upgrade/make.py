"""Keep this version's installation: a small journey, backed up, in releases/<version>/.

usage: python -m e2e.upgrade.make
"""

import json
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from e2e.journey import data, governing, people
from e2e.journey.story import Story, champion, score, serve
from e2e.journey.world import World
from e2e.stacks import LETOPIS, Stack, running
from e2e.upgrade.kept import ARCHIVE, RELEASES, sealed

ACCOUNTS = 300
LARGEST = 3 << 20


def main() -> None:
    """Play, back up, pack; the archive takes the place of one made before of the same version."""
    folder = RELEASES / version("letopis")
    with TemporaryDirectory(prefix="letopis-release-") as name:
        room = Path(name)
        with running(room / "data") as stack:
            journey(stack)
            heads = sealed(stack)
        # Without services nothing is recorded any more, so the lock store is as old as the backup, not newer.
        with running(room / "data", "--no-mlflow", "--services", "none") as stack:
            backup(stack, room / "backup")
        shutil.copyfile(stack.data / "state" / "audit" / "lock" / "heads.sqlite", room / "heads.sqlite")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(folder / ARCHIVE, "w:xz", preset=9) as archive:
            for part in ("backup", "backup-keys", "heads.sqlite"):
                archive.add(room / part, part)
    (folder / "heads.json").write_text(json.dumps(heads, indent=1, sort_keys=True) + "\n", "utf-8")
    size = (folder / ARCHIVE).stat().st_size
    sys.stdout.write(f"{folder / ARCHIVE}: {size:,} bytes, {sum(heads.values()):,} facts\n")
    if size > LARGEST:
        raise SystemExit(f"more than {LARGEST:,} bytes; make the journey smaller")


def journey(stack: Stack) -> World:
    """People, data, a model in production and a month of decisions."""
    world = World.of(stack.data, ACCOUNTS, lambda who, what: None)
    people.enrol(world)
    data.bring(world)
    prepared = data.define(world)
    governing.intake(world)
    story = Story()
    made = champion(world, prepared, story)
    serve(world, prepared, story, made)
    score(world, story, data.MAY)
    return world


def backup(stack: Stack, target: Path) -> None:
    """Online, by the command that a person types."""
    subprocess.run([LETOPIS, "backup", str(target), "--data-dir", str(stack.data)], check=True)


if __name__ == "__main__":
    main()
