"""A version made ready to answer: signature and artifacts verified, watched by monitors, loaded and tried."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from letopis.common.errors import Invalid, NotFound, ObjectDamaged, Refused
from letopis.common.objects import ObjectStore
from letopis.common.serialization import canonical
from letopis.inference.scoring.model import Scorer, Unservable, load_sklearn, load_xgboost
from letopis.inference.scoring.plan import Plan, plan_of

STATEMENT = "letopis-version-v1\n"
_FLAVOURS: dict[str, tuple[str, Callable[[bytes, Sequence[str]], Scorer]]] = {
    "xgboost": ("model.json", load_xgboost),
    "sklearn": ("model.skops", load_sklearn),
}


class SignatureInvalid(Refused):
    """The registry did not sign what would be loaded."""

    code = "version.signature_invalid"
    title = "The registry's signature does not hold for this version; it is not loaded"


class MonitorsMissing(Refused):
    """Nothing runs unwatched."""

    code = "version.monitors_missing"
    title = "The version names no monitors; nothing runs unwatched"


class ArtifactBad(Refused):
    """An artifact is absent, changed or cannot be served."""

    code = "version.artifact_bad"
    title = "An artifact of the version cannot be loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A registered version as the registry told it."""

    version_id: str
    model_id: str
    digest: str
    manifest: Mapping[str, Any]
    signature: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Servable:
    """A loaded version; `adverse` is said of scores at or above the cutoff, `favourable` of those below."""

    bundle: Bundle
    plan: Plan
    scorer: Scorer
    cutoff: float
    adverse: str
    favourable: str

    def decision(self, score: float) -> str:
        return self.adverse if score >= self.cutoff else self.favourable


def verify(bundle: Bundle, keys: Mapping[str, str]) -> None:
    """SignatureInvalid unless the registry's key signed exactly this manifest; MonitorsMissing without monitors.

    `keys` maps key ids to raw Ed25519 public keys in base64.
    """
    if sha256(canonical(bundle.manifest)).hexdigest() != bundle.digest:
        raise SignatureInvalid("the manifest has another digest than its version")
    public = keys.get(bundle.key_id)
    if public is None:
        raise SignatureInvalid(f"the registry's key {bundle.key_id} is not known here")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(bundle.signature, validate=True), (STATEMENT + bundle.digest).encode())
    except (InvalidSignature, ValueError, binascii.Error):
        raise SignatureInvalid from None
    if not bundle.manifest.get("monitors"):
        raise MonitorsMissing


def load(bundle: Bundle, keys: Mapping[str, str], objects: ObjectStore) -> Servable:
    """Verify, read, build and try a version; raises a Refused that says what is wrong, and touches nothing else."""
    verify(bundle, keys)
    manifest = bundle.manifest
    flavour = _FLAVOURS.get(str(manifest.get("flavour")))
    if flavour is None:
        raise ArtifactBad(f"flavour {manifest.get('flavour')!r} is not served; use {' or '.join(sorted(_FLAVOURS))}")
    path, read = flavour
    model = b""
    for artifact in manifest["artifacts"]:
        try:
            data = objects.get(artifact["sha256"])
        except (NotFound, ObjectDamaged) as error:
            raise ArtifactBad(f"{artifact['path']}: {error.detail}") from None
        if artifact["path"] == path:
            model = data
    if not model:
        raise ArtifactBad(f"the version has no {path}")
    try:
        plan = plan_of(manifest)
        scorer = read(model, [one.name for one in plan.inputs])
    except (Unservable, Invalid) as error:
        raise ArtifactBad(error.detail) from None
    said = manifest.get("decisions") or {}
    return Servable(
        bundle=bundle,
        plan=plan,
        scorer=scorer,
        cutoff=_cutoff(manifest),
        adverse=str(said.get("at_or_above", "refuse")),
        favourable=str(said.get("below", "accept")),
    )


def _cutoff(manifest: Mapping[str, Any]) -> float:
    cutoff = manifest.get("cutoff", 0.5)
    if isinstance(cutoff, bool) or not isinstance(cutoff, int | float):
        raise ArtifactBad("the manifest's cutoff is no number")
    return float(cutoff)
