"""Artifacts and versions: drafts are free, every bundle is content-addressed and signed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from letopis.common.errors import Invalid, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems, public
from letopis.registry.evidence.decider import EVIDENCE
from letopis.registry.model.decider import MODEL, ModelUnknown, NumberVersion, RegisterModel, Unregistered
from letopis.registry.model.decider import Registered as KnownModel
from letopis.registry.promotion.gate import Gate, gate_of
from letopis.registry.version import views
from letopis.registry.version.decider import VERSION, RegisterVersion, VersionDiffers
from letopis.registry.version.manifest import check, digest_of, missing, parts, unpinned

router = APIRouter(prefix="/v1", tags=["version"])


class VersionIn(Body):
    """A manifest whose artifacts were uploaded before; the model is registered with it if it is new."""

    model_id: str
    manifest: dict[str, Any]


class ArtifactOut(BaseModel):
    sha256: str
    bytes: int


class VersionOut(BaseModel):
    version_id: str
    model_id: str
    number: int
    digest: str
    author: str
    manifest: dict[str, Any]
    signature: str
    key_id: str
    registered_at: str
    position: int
    evidence: dict[str, Any]


class PartOut(BaseModel):
    name: str
    present: bool
    reason: str


class PreviewOut(BaseModel):
    """What a version lacks for production, as one list; `ready` when nothing."""

    version_id: str
    ready: bool
    tier: int
    parts: list[PartOut]
    unpinned: list[str]
    evidence_required: list[str]
    evidence_missing: list[str]
    approvals_needed: int
    use_case: str
    missing: list[str]


class KeysOut(BaseModel):
    key_id: str
    public_key: str


@public
@router.get("/keys")
async def keys(request: Request) -> KeysOut:
    """The public key with which the registry signs versions."""
    signer = request.app.state.resources.signer
    return KeysOut(key_id=signer.key_id, public_key=signer.public_key)


@router.put("/artifacts/{sha256}", status_code=201)
async def upload(
    sha256: str,
    request: Request,
    call: Annotated[Call, governed("registry.version.upload", body_limit=256 * 1024 * 1024)],
) -> ArtifactOut:
    await call.authorize(Object(type="artifact", id=sha256))
    data = await request.body()
    stored = call.resources.objects.put(data)
    if stored != sha256:
        raise Invalid(f"the body has SHA-256 {stored}, not {sha256}; send the file's own digest")
    return ArtifactOut(sha256=stored, bytes=len(data))


@router.post("/versions", status_code=201, response_model=Receipt, responses=problems(ModelUnknown, VersionDiffers))
async def register(body: VersionIn, call: Annotated[Call, governed("registry.version.register")]) -> Response:
    check(body.manifest)
    for artifact in body.manifest["artifacts"]:
        sha = artifact["sha256"]
        if not call.resources.objects.has(sha) or call.resources.objects.path(sha).stat().st_size != artifact["bytes"]:
            raise Invalid(
                f"artifact {artifact['path']} is not in the store with this digest and size; upload it first",
                artifact=artifact["path"],
            )
    authorization = await call.authorize(Object(type="model", id=body.model_id))
    digest = digest_of(body.manifest)
    model = (await call.load(MODEL, body.model_id)).state
    if isinstance(model, Unregistered):
        name = str(body.manifest.get("model") or body.model_id)
        new = RegisterModel(model_id=body.model_id, name=name, owner=call.caller.person, description="")
        await call.handle_also(MODEL, body.model_id, new, authorization)
    await call.handle_also(MODEL, body.model_id, NumberVersion(digest=digest), authorization, part="number")
    model = (await call.load(MODEL, body.model_id)).state
    if not isinstance(model, KnownModel):
        raise ModelUnknown
    signer = call.resources.signer
    command = RegisterVersion(
        version_id=model.version_id(digest),
        model_id=body.model_id,
        model_name=model.name,
        number=model.numbers[digest],
        digest=digest,
        manifest=body.manifest,
        author=call.caller.person,
        signature=signer.sign(digest),
        key_id=signer.key_id,
    )
    return call.receipt(await call.handle(VERSION, command.version_id, command, authorization))


@router.get("/versions/{version_id}", responses=problems(NotFound))
async def version(
    version_id: str, call: Annotated[Call, governed("registry.version.read", delegable=True)]
) -> VersionOut:
    await call.authorize(Object(type="version", id=version_id))
    found = await views.version(call.views, version_id)
    if found is None:
        raise NotFound(f"there is no version {version_id}")
    return VersionOut(**found)


@router.get("/versions/{version_id}/preview", responses=problems(NotFound))
async def preview(
    version_id: str, call: Annotated[Call, governed("registry.promotion.preview", fulfils=("evidence", "approvals"))]
) -> PreviewOut:
    """Everything that stands between this version and production, asked of the same policy as the request."""
    gate = await gate_of(call, version_id)
    manifest = gate.version.manifest
    evidence = (await call.load(EVIDENCE, version_id)).state
    lacking = [kind for kind in gate.evidence_required if kind not in evidence.passed()]
    return PreviewOut(
        version_id=version_id,
        ready=not (missing(manifest) or unpinned(manifest) or lacking) and gate.use_case_approved,
        tier=gate.tier,
        parts=[PartOut(name=one.name, present=one.present, reason=one.reason) for one in parts(manifest)],
        unpinned=unpinned(manifest),
        evidence_required=list(gate.evidence_required),
        evidence_missing=lacking,
        approvals_needed=gate.approvals_needed,
        use_case=gate.use_case_state,
        missing=_missing(gate, lacking),
    )


def _missing(gate: Gate, lacking: list[str]) -> list[str]:
    manifest = gate.version.manifest
    return [
        *(f"part {name}" for name in missing(manifest)),
        *(f"exact version of {requirement}" for requirement in unpinned(manifest)),
        *(f"evidence {kind}" for kind in lacking),
        *([] if gate.use_case_approved else ["approved use case"]),
    ]
