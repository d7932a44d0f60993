"""Where the stack is: a file in the data directory for programs, and a note for commands run from any folder."""

import json
from pathlib import Path

from letopis.local.plan import Plan
from letopis.local.topology import SERVICES
from letopis.sdk.places import config_folder

NAMES = (*(service.name for service in SERVICES), "issuer", "mlflow")


def put_up(plan: Plan) -> None:
    """Write `<data>/endpoints.json`, and note in the person's config folder that this stack came up last."""
    addresses = {name: plan.address(name) for name in NAMES}
    _write(plan.data / "endpoints.json", {"profile": plan.profile, **addresses})
    _write(config_folder() / "stack.json", {"data_dir": str(plan.data.absolute())})


def _write(path: Path, document: dict[str, str]) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(document, indent=1), "utf-8")
    aside.rename(path)
