"""python -m letopis.audit.subject_keys all | migrate | rotate"""

import asyncio
import sys

from letopis.audit.subject_keys.app import create_app
from letopis.audit.subject_keys.master import Master
from letopis.audit.subject_keys.settings import SubjectKeysSettings
from letopis.audit.subject_keys.vault import KeyVault
from letopis.common.database import open_engine

NAME = "subject_keys"


async def _rotate(settings: SubjectKeysSettings) -> int:
    engine = open_engine(settings.database_url, name="letopis-subject-keys-rotation")
    try:
        vault = KeyVault(engine, Master(settings.state_dir / "master.key"), settings.state_dir / "destroyed")
        return await vault.rotate()
    finally:
        await engine.dispose()


def main(arguments: list[str]) -> int:
    settings = SubjectKeysSettings()
    match arguments:
        case ["all"]:
            from letopis.common.http.serving import run

            run(NAME, create_app(settings), settings)
        case ["migrate"]:
            from letopis.common.migrating import upgrade

            upgrade(f"audit.{NAME}", settings.owner_url, settings.database_url, settings.projector_url)
        case ["rotate"]:
            count = asyncio.run(_rotate(settings))
            print(f"{count:,} keys are under a new master key; the old one is gone")  # noqa: T201 a command line answers
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201 a command line answers
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
