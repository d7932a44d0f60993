"""Registering a model from a notebook: saved safely, described from the data it was fitted on, never pickled."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from letopis.common.serialization import canonical
from letopis.sdk.client import Letopis
from letopis.sdk.problems import Invalid
from letopis.sdk.saving import skops_bytes

FORMAT = "letopis-manifest-v1"
_LIBRARIES = {"xgboost": ("xgboost", "numpy"), "sklearn": ("scikit-learn", "skops", "numpy", "scipy")}
_KINDS = {"f": "double", "i": "long", "u": "long", "b": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """A version in the registry and what it lacks for production; printing it tells both."""

    version_id: str
    model_id: str
    number: int
    digest: str
    missing: Sequence[str]

    def __str__(self) -> str:
        lines = [f"{self.version_id}  sha256:{self.digest}"]
        lines += [f"  lacks {one}" for one in self.missing] or ["  lacks nothing for production"]
        return "\n".join(lines)


def register(
    model: Any,
    *,
    name: str,
    inputs: Any,
    output: str = "score",
    client: Letopis | None = None,
    **described: Any,
) -> RegisteredVersion:
    """Register a fitted XGBoost or scikit-learn model as a new version; a draft is free and lacks what it lacks.

    `inputs` is the pandas DataFrame the model was fitted on (only names, types and whether values are missing are
    taken), or a mapping of names to double, long, string or boolean. `described` are further fields of the manifest:
    owner, support_owner, code={"commit": ...}, training_data=[dataset ids], monitors, documents, cutoff, features...
    Raises Invalid for a model of another kind, and the registry's Problem.
    """
    flavour, path, data = saved(model)
    manifest = {
        "format": FORMAT,
        "model": name,
        "flavour": flavour,
        "language": "python",
        "signature": {"inputs": signature_of(inputs), "outputs": [{"name": output, "type": "double"}]},
        "environment": environment_of(_LIBRARIES[flavour]),
    } | described
    return _post(manifest, {path: data}, client)


def register_folder(folder: Path, client: Letopis | None = None) -> RegisteredVersion:
    """Register a folder: `manifest.json` and the artifacts beside it; format, digests and sizes are filled in."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise _invalid(f"{folder} has no manifest.json", "write one with model, flavour and signature") from None
    except ValueError as error:
        raise _invalid(f"{folder / 'manifest.json'} is not JSON: {error}", "correct the file") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("model"), str):
        raise _invalid(f"{folder / 'manifest.json'} does not name its model", 'add "model": "a-name"')
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    artifacts = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return _post({"format": FORMAT} | manifest, artifacts, client)


def preview(client: Letopis, version_id: str) -> dict[str, Any]:
    """Everything between a version and production, as the registry and its policy see it now."""
    told: dict[str, Any] = client.registry.get(f"/v1/versions/{version_id}/preview")
    return told


def saved(model: Any) -> tuple[str, str, bytes]:
    """Flavour, file name and bytes of a fitted model: XGBoost as its JSON, scikit-learn by skops."""
    family = type(model).__module__.partition(".")[0]
    if family == "xgboost":
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        return "xgboost", "model.json", bytes(booster.save_raw("json"))
    if family == "sklearn":
        return "sklearn", "model.skops", skops_bytes(model)
    raise _invalid(
        f"{type(model).__qualname__} of {family} is neither an XGBoost nor a scikit-learn model",
        "fit one of these; pickles are not taken",
    )


def signature_of(inputs: Any) -> list[dict[str, Any]]:
    """Names and types of the inputs; one is required if no value of it was missing."""
    if isinstance(inputs, Mapping):
        return [{"name": str(name), "type": str(kind), "required": True} for name, kind in inputs.items()]
    try:
        return [
            {
                "name": str(name),
                "type": _KINDS.get(kind.kind, "string"),
                "required": not bool(inputs[name].isna().any()),
            }
            for name, kind in inputs.dtypes.items()
        ]
    except AttributeError:
        raise _invalid("inputs is neither a DataFrame nor a mapping of names to types", "pass one of them") from None


def environment_of(packages: Sequence[str]) -> dict[str, Any]:
    """Exact versions of what the model needs here, and the digest that names them."""
    pinned = []
    for package in packages:
        try:
            pinned.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    contents = {"python": platform.python_version(), "requirements": sorted(pinned)}
    return contents | {"digest": sha256(canonical(contents)).hexdigest()}


def slug(name: str) -> str:
    """The id of a model from its name."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].rstrip("-")
    if not found:
        raise _invalid(f"no id can be made of the name {name!r}", "use Latin letters or digits in it")
    return found


def _post(manifest: dict[str, Any], artifacts: Mapping[str, bytes], client: Letopis | None) -> RegisteredVersion:
    if client is None:
        with Letopis() as own:
            return _post(manifest, artifacts, own)
    listed = []
    for path, data in artifacts.items():
        digest = sha256(data).hexdigest()
        client.registry.put(f"/v1/artifacts/{digest}", data)
        listed.append({"path": path, "sha256": digest, "bytes": len(data)})
    model_id = slug(manifest["model"])
    body = {"model_id": model_id, "manifest": manifest | {"artifacts": listed}}
    receipt = client.registry.post("/v1/versions", body)
    fact = client.registry.get(f"/v1/versions/{receipt['id']}")
    return RegisteredVersion(
        version_id=fact["version_id"],
        model_id=fact["model_id"],
        number=fact["number"],
        digest=fact["digest"],
        missing=preview(client, fact["version_id"])["missing"],
    )


def _invalid(title: str, remedy: str) -> Invalid:
    return Invalid({"status": 422, "code": "invalid", "title": title, "remedy": remedy})
