"""The manifest of a version: what it must hold, what it lacks for production, and the digest that names it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from letopis.common.errors import Invalid
from letopis.common.serialization import canonical

FORMAT = "letopis-manifest-v1"
FLAVOURS = {"xgboost": "model.json", "sklearn": "model.skops"}
KINDS = frozenset({"double", "long", "string", "boolean"})
STATEMENT = "letopis-version-v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the bundle that production asks for, and why."""

    name: str
    present: bool
    reason: str


def digest_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical manifest, lower-case hex: the same input builds the same digest."""
    return sha256(canonical(manifest)).hexdigest()


def statement(digest: str) -> bytes:
    """What the registry signs for a version."""
    return (STATEMENT + digest).encode()


def check(manifest: Mapping[str, Any]) -> None:
    """Refuse what no version may be, not even a draft; Invalid names the field and what to do."""
    if manifest.get("format") != FORMAT:
        raise Invalid(f"manifest.format must be {FORMAT!r}", field="format")
    flavour = manifest.get("flavour")
    if flavour not in FLAVOURS:
        raise Invalid(f"manifest.flavour must be one of {', '.join(sorted(FLAVOURS))}", field="flavour")
    artifacts = manifest.get("artifacts")
    if not isinstance(artifacts, list) or not artifacts:
        raise Invalid("manifest.artifacts must list at least the model file", field="artifacts")
    for one in artifacts:
        if not isinstance(one, dict) or set(one) != {"path", "sha256", "bytes"}:
            raise Invalid("each artifact has exactly path, sha256 and bytes", field="artifacts")
    _check_authors((manifest.get("code") or {}).get("authors", []))
    _check_paths([str(one["path"]) for one in artifacts], FLAVOURS[str(flavour)])
    _check_signature(manifest.get("signature"))


def parts(manifest: Mapping[str, Any]) -> Sequence[Part]:
    """Every part of a complete bundle, present or not, in the order people ask for them."""
    environment = manifest.get("environment") or {}
    return [
        _part(manifest, "owner", "somebody answers for the model"),
        _part(manifest, "support_owner", "somebody is called at night"),
        _part(manifest, "language", "the runtime follows from it"),
        Part(
            name="code",
            present=bool((manifest.get("code") or {}).get("commit")),
            reason="the commit it was trained from",
        ),
        _part(manifest, "training_data", "the training sets by id, so that they can be verified"),
        Part(
            name="environment",
            present=bool(environment.get("digest") and environment.get("requirements")),
            reason="pinned packages, so that it can be built again",
        ),
        _part(manifest, "monitors", "nothing runs unwatched"),
        _part(manifest, "documents", "development and validation documents by digest"),
    ]


def missing(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the parts that the bundle lacks for production."""
    return [part.name for part in parts(manifest) if not part.present]


def unpinned(manifest: Mapping[str, Any]) -> list[str]:
    """Requirements without an exact version."""
    requirements = (manifest.get("environment") or {}).get("requirements") or []
    return [str(one) for one in requirements if "==" not in str(one)]


def environment_digest(manifest: Mapping[str, Any]) -> str:
    return str((manifest.get("environment") or {}).get("digest") or "")


def _part(manifest: Mapping[str, Any], name: str, reason: str) -> Part:
    return Part(name=name, present=bool(manifest.get(name)), reason=reason)


def _check_authors(authors: Any) -> None:
    if not isinstance(authors, list) or not all(isinstance(one, str) and one.strip() for one in authors):
        raise Invalid("manifest.code.authors lists who wrote the code, by login or address", field="code")


def _check_paths(paths: Sequence[str], model: str) -> None:
    for path in paths:
        if path.startswith("/") or ".." in path.split("/") or "\\" in path or not path:
            raise Invalid(f"artifact path {path!r} must be relative and stay in the bundle", field="artifacts")
        if path.endswith((".pkl", ".pickle", ".joblib", ".ipynb")):
            raise Invalid(
                f"{path}: pickles and notebooks are no artifacts; save XGBoost as JSON and scikit-learn with skops",
                field="artifacts",
            )
    if len(set(paths)) != len(paths):
        raise Invalid("an artifact path stands twice", field="artifacts")
    if model not in paths:
        raise Invalid(f"the bundle needs {model} among its artifacts", field="artifacts")


def _check_signature(signature: Any) -> None:
    if not isinstance(signature, dict) or not signature.get("inputs") or not signature.get("outputs"):
        raise Invalid("manifest.signature needs inputs and outputs", field="signature")
    for one in [*signature["inputs"], *signature["outputs"]]:
        if not isinstance(one, dict) or not one.get("name") or one.get("type") not in KINDS:
            raise Invalid(
                f"each input and output has a name and a type of {', '.join(sorted(KINDS))}", field="signature"
            )
    names = [one["name"] for one in signature["inputs"]]
    if len(set(names)) != len(names):
        raise Invalid("an input stands twice in the signature", field="signature")
