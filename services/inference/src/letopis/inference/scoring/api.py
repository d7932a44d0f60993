"""Scoring over HTTP through the ordinary door; the fast one (front.py) gives the same answers."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from letopis.common.errors import NotFound
from letopis.common.http import Call, governed, problems
from letopis.inference.decision.journal import JournalFull
from letopis.inference.scoring.desk import Request as ScoreRequest
from letopis.inference.scoring.lookup import FeaturesAway
from letopis.inference.scoring.plan import BadRows
from letopis.inference.scoring.serving import NotLoaded

router = APIRouter(prefix="/v1/score", tags=["scoring"])
BODY_LIMIT = 1 << 20


@router.post(
    "/{application}/{api_version}",
    responses=problems(BadRows, NotFound, NotLoaded, FeaturesAway, JournalFull),
)
async def score(
    application: str,
    api_version: str,
    request: Request,
    call: Annotated[Call, governed("inference.scoring.score", ledger="decisions", body_limit=BODY_LIMIT)],
    explain: bool = False,
) -> Response:
    """A flat JSON object gets one answer, an array of them `{"decisions": [...]}` in its order."""
    desk = call.resources.scoring
    target = desk.serving.find(application, api_version)
    lease = await desk.lease(call.caller, target)
    call.consented()
    asked = ScoreRequest(
        application=application,
        api_version=api_version,
        body=await request.body(),
        explain=explain,
        correlation_id=call.correlation_id,
    )
    answer = await desk.under(lease, target, call.caller, asked)
    return Response(msgspec.json.encode(answer), media_type="application/json")
