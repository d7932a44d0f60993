"""Standing claims over HTTP: state one, withdraw it, read what was found."""

import asyncio
import json
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from letopis.audit.claim import views
from letopis.audit.claim.decider import (
    CLAIM,
    LONGEST,
    ClaimStands,
    ClaimUnknown,
    ClaimUnreadable,
    StateClaim,
    WithdrawalUnexplained,
    WithdrawClaim,
)
from letopis.audit.claim.language import NotAClaim, parse
from letopis.audit.claim.packing import Packing, TooManyFacts
from letopis.audit.evidence.decider import PACK, MakePack, PackExists
from letopis.common.envelope import time_text
from letopis.common.errors import LedgerHole, NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems

router = APIRouter(prefix="/v1/claims", tags=["claim"])
Id = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{2,63}$")]


class ClaimIn(Body):
    """A definition in the language of claims (`letopis.audit.claim.language`)."""

    definition: dict[str, Any]


class WithdrawalIn(Body):
    reason: Annotated[str, Field(max_length=2000)]


class FoundOut(BaseModel):
    """`open` facts may still be answered in time."""

    claim_id: str
    verdict: str
    checked: int
    open: int
    violations: int


class EvaluationOut(BaseModel):
    """What was found at these positions; the whole document is at /v1/claims/evaluations/{sha256}."""

    evaluation_id: str
    at: str
    sha256: str
    positions: dict[str, int]
    claims: list[FoundOut]


class EvaluationUnknown(NotFound):
    """No recorded evaluation has these bytes."""

    code = "claim.evaluation_unknown"
    title = "No recorded evaluation has this SHA-256"


@router.post("", status_code=201, response_model=Receipt, responses=problems(ClaimUnreadable, ClaimStands))
async def state(body: ClaimIn, call: Annotated[Call, governed("audit.claim.state")]) -> Response:
    """It is held against every fact from the first one on, within a minute."""
    definition = msgspec.json.encode(body.definition, order="sorted").decode()
    if len(definition) > LONGEST:
        raise ClaimUnreadable(f"a definition has {LONGEST} characters at most")
    try:
        id = parse(json.loads(definition)).id
    except NotAClaim as error:
        raise ClaimUnreadable(str(error)) from error
    authorization = await call.authorize(Object(type="claim", id=id))
    command = StateClaim(definition=definition, by=call.caller.person)
    return call.receipt(await call.handle(CLAIM, id, command, authorization))


@router.post(
    "/{claim_id}/withdrawals",
    status_code=201,
    response_model=Receipt,
    responses=problems(ClaimUnknown, WithdrawalUnexplained),
)
async def withdraw(
    claim_id: Id, body: WithdrawalIn, call: Annotated[Call, governed("audit.claim.withdraw")]
) -> Response:
    authorization = await call.authorize(Object(type="claim", id=claim_id))
    command = WithdrawClaim(claim_id=claim_id, reason=body.reason, by=call.caller.person)
    return call.receipt(await call.handle(CLAIM, claim_id, command, authorization))


@router.post(
    "/packs", status_code=201, response_model=Receipt, responses=problems(TooManyFacts, PackExists, LedgerHole)
)
async def make_pack(call: Annotated[Call, governed("audit.claim.export", deadline=600)]) -> Response:
    """Every ledger whole and the document of the claims; it is at /v1/packs/{id}, `letopis verify` checks it."""
    pack_id = str(call.command_id)
    authorization = await call.authorize(Object(type="pack", id=pack_id))
    resources = call.resources
    packing = Packing(copies=resources.copies, log=resources.log, signer=resources.signer)
    made = await packing.packed(pack_id, time_text(call.now()))
    command = MakePack(
        pack_id=pack_id,
        scope={"claims": "all"},
        positions=made.positions,
        excerpts={},
        report_sha256=sha256(made.document).hexdigest(),
        sha256=await asyncio.to_thread(resources.objects.put, made.data),
        bytes=len(made.data),
        by=call.caller.person,
    )
    return call.receipt(await call.handle(PACK, pack_id, command, authorization))


@router.get("/evaluations")
async def evaluations(call: Annotated[Call, governed("audit.claim.read")]) -> list[EvaluationOut]:
    """The last recorded evaluations, newest first."""
    await call.authorize(Object(type="claim", id="*"))
    return [EvaluationOut(**{name: one[name] for name in EvaluationOut.model_fields}) for one in await _last(call, 50)]


@router.get("/evaluations/{digest}", responses=problems(EvaluationUnknown))
async def document(
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], call: Annotated[Call, governed("audit.claim.read")]
) -> Response:
    """The document's exact bytes: every claim, its definition, what it was held against, and where it is violated."""
    await call.authorize(Object(type="claim", id="*"))
    if not any(one["sha256"] == digest for one in await _last(call, 1000)):
        raise EvaluationUnknown
    return Response(await asyncio.to_thread(call.resources.objects.get, digest), media_type="application/json")


async def _last(call: Call, limit: int) -> list[dict[str, Any]]:
    return await views.latest(call.views, limit)
