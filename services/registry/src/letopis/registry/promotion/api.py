"""Promotions: requested, signed by people with their own keys, and rolled back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.envelope import Authorization
from letopis.common.errors import NotFound, Refused
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.identity.approval import ApprovalStatement, verify
from letopis.registry.evidence.decider import EVIDENCE
from letopis.registry.principal.decider import PRINCIPAL
from letopis.registry.principal.decider import Registered as KnownPrincipal
from letopis.registry.production.decider import PRODUCTION, EnterProduction, NothingBefore, NotInProduction, RollBack
from letopis.registry.promotion import views
from letopis.registry.promotion.decider import (
    PROMOTION,
    ApprovePromotion,
    Completed,
    DigestMoved,
    EvidenceMissing,
    PartsMissing,
    PromotionDecided,
    PromotionUnknown,
    RejectPromotion,
    RequestPromotion,
    SecondVote,
    SelfApproval,
    Unrequested,
    UseCaseMissing,
)
from letopis.registry.promotion.gate import emergencies_reviewed, gate_of
from letopis.registry.segregation.graph import INDEPENDENT, told
from letopis.registry.segregation.looking import GraphBehind, proxy_of
from letopis.registry.version.decider import VERSION
from letopis.registry.version.decider import Registered as RegisteredVersion
from letopis.registry.version.manifest import environment_digest, missing, unpinned

router = APIRouter(prefix="/v1", tags=["promotion"])


class SignatureInvalid(Refused):
    """The signature does not verify under an enrolled key of this person."""

    code = "approval.signature_invalid"
    title = "The signature does not verify under an enrolled key of yours; sign the digests shown with your own key"


class PromotionIn(Body):
    version_id: str
    stage: Literal["production"] = "production"
    comment: str = ""


class ApprovalIn(Body):
    """The digests that were read and signed (Ed25519, base64) with the person's own enrolled key."""

    verdict: Literal["approve", "reject"] = "approve"
    version_digest: str
    environment_digest: str
    policy_revision: str
    key_id: str
    signature: str
    comment: str = ""


class RollbackIn(Body):
    reason: Annotated[str, Field(max_length=2000)]
    from_version_id: str | None = None


class PromotionOut(BaseModel):
    promotion_id: str
    version_id: str
    model_id: str
    stage: str
    tier: int
    version_digest: str
    environment_digest: str
    policy_revision: str
    evidence: dict[str, str]
    author: str
    requester: str
    comment: str
    approvals_needed: int
    approvals: list[dict[str, Any]]
    state: str
    requested_at: str
    decided_at: str | None
    position: int


@router.post(
    "/promotions",
    status_code=201,
    response_model=Receipt,
    responses=problems(PartsMissing, EvidenceMissing, UseCaseMissing, NotFound),
)
async def request(
    body: PromotionIn,
    call: Annotated[Call, governed("registry.promotion.request", fulfils=("evidence", "approvals"))],
) -> Response:
    gate = await gate_of(call, body.version_id)
    version, manifest = gate.version, gate.version.manifest
    evidence = (await call.load(EVIDENCE, body.version_id)).state
    promotion_id = call.new_id()
    command = RequestPromotion(
        promotion_id=promotion_id,
        version_id=version.version_id,
        model_id=version.model_id,
        version_digest=version.digest,
        environment_digest=environment_digest(manifest),
        missing_parts=(*missing(manifest), *(f"exact version of {one}" for one in unpinned(manifest))),
        use_case_approved=gate.use_case_approved,
        evidence_passed=evidence.passed(),
        evidence_required=gate.evidence_required,
        policy_revision=gate.authorization.revision,
        stage=body.stage,
        tier=gate.tier,
        approvals_needed=gate.approvals_needed,
        author=version.author,
        requester=call.caller.person,
        comment=body.comment,
    )
    return call.receipt(await call.handle(PROMOTION, promotion_id, command, gate.authorization))


@router.post(
    "/promotions/{promotion_id}/approvals",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        SelfApproval, SecondVote, DigestMoved, SignatureInvalid, PromotionUnknown, PromotionDecided, GraphBehind
    ),
)
async def approve(
    promotion_id: str, body: ApprovalIn, call: Annotated[Call, governed("registry.promotion.approve")]
) -> Response:
    authorization = await _judge(call, promotion_id, body, "approve")
    command = ApprovePromotion(person=call.caller.person, at=call.now(), **body.model_dump(exclude={"verdict"}))
    handled = await call.handle(PROMOTION, promotion_id, command, authorization)
    await _enter_production(call, promotion_id, authorization)
    return call.receipt(handled)


@router.post(
    "/promotions/{promotion_id}/rejections",
    status_code=201,
    response_model=Receipt,
    responses=problems(DigestMoved, SignatureInvalid, PromotionUnknown, PromotionDecided, GraphBehind),
)
async def reject(
    promotion_id: str, body: ApprovalIn, call: Annotated[Call, governed("registry.promotion.reject")]
) -> Response:
    authorization = await _judge(call, promotion_id, body, "reject")
    command = RejectPromotion(person=call.caller.person, at=call.now(), **body.model_dump(exclude={"verdict"}))
    return call.receipt(await call.handle(PROMOTION, promotion_id, command, authorization))


@router.post(
    "/models/{model_id}/rollbacks",
    status_code=201,
    response_model=Receipt,
    responses=problems(NothingBefore, NotInProduction),
)
async def roll_back(
    model_id: str, body: RollbackIn, call: Annotated[Call, governed("registry.production.roll_back")]
) -> Response:
    authorization = await call.authorize(Object(type="model", id=model_id), facts={"reason": body.reason})
    command = RollBack(
        model_id=model_id, from_version_id=body.from_version_id, reason=body.reason, by=call.caller.person
    )
    return call.receipt(await call.handle(PRODUCTION, model_id, command, authorization))


@router.get("/promotions")
async def promotions(
    call: Annotated[Call, governed("registry.promotion.list")],
    state: str | None = None,
    model_id: str | None = None,
) -> list[PromotionOut]:
    await call.authorize(Object(type="promotion", id="*"))
    return [PromotionOut(**one) for one in await views.promotions(call.views, state, model_id)]


@router.get("/promotions/{promotion_id}", responses=problems(NotFound))
async def promotion(promotion_id: str, call: Annotated[Call, governed("registry.promotion.read")]) -> PromotionOut:
    await call.authorize(Object(type="promotion", id=promotion_id))
    found = await views.promotion(call.views, promotion_id)
    if found is None:
        raise NotFound(f"there is no promotion {promotion_id}")
    return PromotionOut(**found)


async def _judge(call: Call, promotion_id: str, body: ApprovalIn, verdict: str) -> Authorization:
    """Ask policy, then check the person's own signature over exactly what they say they read."""
    state = (await call.load(PROMOTION, promotion_id)).state
    if isinstance(state, Unrequested):
        raise PromotionUnknown
    version = (await call.load(VERSION, state.request.version_id)).state
    manifest = version.manifest if isinstance(version, RegisteredVersion) else {}
    proxy = await proxy_of(call, {state.request.author, state.request.requester}, manifest)
    authorization = await call.authorize(
        Object(type="promotion", id=promotion_id, attributes={"version_id": state.request.version_id}),
        facts={
            "independent": proxy is None,
            "hands": told(proxy) if proxy else INDEPENDENT,
            "on_behalf_of": sorted(f"{person} ({role})" for role, person in call.caller.behalf),
            "author": state.request.author,
            "requester": state.request.requester,
            "tier": state.request.tier,
            "mfa_age": call.mfa_age(),
            "emergencies_reviewed": await emergencies_reviewed(call, state.request.model_id),
        },
    )
    statement = ApprovalStatement(
        promotion=promotion_id,
        verdict=verdict,
        version_digest=body.version_digest,
        environment_digest=body.environment_digest,
        policy_revision=body.policy_revision,
        person=call.caller.person,
        key_id=body.key_id,
    )
    principal = (await call.load(PRINCIPAL, call.caller.login)).state
    public_key = principal.keys.get(body.key_id) if isinstance(principal, KnownPrincipal) else None
    if public_key is None or not verify(statement, body.signature, public_key):
        raise SignatureInvalid
    return authorization


async def _enter_production(call: Call, promotion_id: str, authorization: Authorization) -> None:
    """A completed promotion puts its version into production; the reaction of the same name makes good a crash here."""
    state = (await call.load(PROMOTION, promotion_id)).state
    if isinstance(state, Completed):
        asked = state.request
        command = EnterProduction(
            model_id=asked.model_id,
            version_id=asked.version_id,
            version_digest=asked.version_digest,
            promotion_id=promotion_id,
        )
        await call.handle_also(PRODUCTION, asked.model_id, command, authorization)
