"""Where the services listen, and where this person's tokens and keys lie."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from letopis.common.private_files import make_private_folder

SERVICES = ("registry", "features", "inference", "monitoring", "audit", "console")
_LOCAL = {"console": 8400} | {name: 8401 + place for place, name in enumerate(SERVICES[:-1])} | {"issuer": 8406}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """URLs of the services, of MLflow and of the identity provider (`issuer`), by name; without a slash at the end."""

    urls: Mapping[str, str]

    def of(self, name: str) -> str:
        return self.urls[name]


def config_folder() -> Path:
    """LETOPIS_CONFIG_DIR, or ~/.config/letopis; made with mode 0700."""
    stated = os.environ.get("LETOPIS_CONFIG_DIR")
    folder = Path(stated) if stated else Path.home() / ".config" / "letopis"
    make_private_folder(folder)
    return folder


def find_places() -> Places:
    """Each URL from LETOPIS_<NAME>_URL (the issuer: LETOPIS_OIDC_ISSUER), else from the stack that `letopis up`
    started: in LETOPIS_DATA_DIR, else the one it noted in the config folder, else ./.letopis, else the default ports.
    """
    urls = {name: f"http://127.0.0.1:{port}" for name, port in _LOCAL.items()} | _of_stack()
    for name in (*SERVICES, "mlflow"):
        urls[name] = os.environ.get(f"LETOPIS_{name.upper()}_URL", urls.get(name, ""))
    urls["issuer"] = os.environ.get("LETOPIS_OIDC_ISSUER", urls["issuer"])
    return Places(urls={name: url.rstrip("/") for name, url in urls.items()})


def _of_stack() -> dict[str, str]:
    for folder in _stack_folders():
        try:
            told = json.loads((folder / "endpoints.json").read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        return {name: str(told[name]) for name in (*SERVICES, "issuer", "mlflow") if told.get(name)}
    return {}


def _stack_folders() -> list[Path]:
    if stated := os.environ.get("LETOPIS_DATA_DIR"):
        return [Path(stated)]
    try:
        noted = json.loads((config_folder() / "stack.json").read_text("utf-8"))
    except FileNotFoundError:
        return [Path(".letopis")]
    return [Path(noted["data_dir"]), Path(".letopis")]
