"""make demo: start the stack, play the journey on all accounts, leave it running and say what to do next."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from e2e.journey import proving
from e2e.journey.story import Story, play
from e2e.journey.world import World

ACCOUNTS = 30_000
REGISTER = """\
     from sklearn.datasets import load_breast_cancer
     from sklearn.linear_model import LogisticRegression
     from letopis.sdk import models
     X, y = load_breast_cancer(return_X_y=True, as_frame=True)
     version = models.register(LogisticRegression(max_iter=5000).fit(X, y), name="my-model", inputs=X)
     print(version)"""


def main() -> int:
    """Exit status 0 when every act went as it must."""
    if sys.argv[1:]:
        print(f"{__doc__}\nIt takes no arguments; LETOPIS_DATA_DIR is where the stack keeps everything.")
        return 2
    data_dir = Path(os.environ.get("LETOPIS_DATA_DIR", ".letopis")).absolute()
    programs = Path(sys.executable).parent
    began = time.monotonic()

    def tell(who: str, what: str) -> None:
        passed = timedelta(seconds=int(time.monotonic() - began))
        print(f"{str(passed)[2:]} {who:<7} {what}", flush=True)

    if (data_dir / "journey").exists():
        print(f"The journey was played on {data_dir} already. Run `make stop` and remove it to play again.")
        return 1
    up = [str(programs / "letopis"), "up", "--profile", "demo", "--detach", "--data-dir", str(data_dir)]
    subprocess.run(up, check=True, stdout=subprocess.DEVNULL)
    world = World.of(data_dir, ACCOUNTS, tell)
    tell("ready", f"5 services, PostgreSQL, NATS, OPA        console {world.urls['console']}")
    folder = data_dir / "journey"
    folder.mkdir()
    story = play(world, folder)
    print(next_steps(world, story, programs))
    return 0


def next_steps(world: World, story: Story, programs: Path) -> str:
    """What the reader can do now, in commands that work as printed."""
    psql = Path(proving.programs_folder()) / "psql"
    other = story.tampered_position + 1
    change = (
        "UPDATE es.event SET data = convert_to("
        "regexp_replace(convert_from(data, 'UTF8'), 'accept|refuse', 'granted'), 'UTF8') "
        f"WHERE ledger = 'decisions' AND position = {other}"
    )
    return f"""
Now you
  1  open the link: one refused client of September; log in as Irina or Boris
     {world.urls["console"]}/decisions/{story.refused_decision}
  2  break it yourself (this is the copy), then let the verifier name what you changed
     {psql} "{story.copy_url}" -c "{change}"
     {programs}/letopis verify --database "{story.copy_url}" --ledger decisions --checkpoint {story.checkpoint}
  3  bring your notebook: {programs}/letopis login --as Anna, then in {programs}/python
{REGISTER}
Stop everything: make stop"""


if __name__ == "__main__":
    sys.exit(main())
