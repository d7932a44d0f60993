"""Scores a recorded decision once more, from the very artifacts and inputs; the inputs are not shown."""

import asyncio
from struct import pack
from typing import Annotated, Any
from uuid import UUID

import msgspec
import numpy as np
from fastapi import APIRouter, Response
from pydantic import BaseModel

from letopis.common.errors import NotFound
from letopis.common.http import Call, Object, governed, problems
from letopis.common.sealing import KeysAway, is_sealed, key_ids, opened_record
from letopis.inference.decision import views
from letopis.inference.decision.events import FACTS, DecisionMade
from letopis.inference.deployment.loading import Loader
from letopis.inference.rescoring.decider import RESCORING, RecordRescored
from letopis.inference.scoring.servable import ArtifactBad, MonitorsMissing, Servable, SignatureInvalid

router = APIRouter(prefix="/v1/decisions", tags=["decision"])


class RescoredOut(BaseModel):
    """`equal`: the same bits and the same words. `erased`: the inputs are gone, so nothing could be scored."""

    decision_id: str
    version_id: str
    version_digest: str
    equal: bool
    erased: bool
    recorded: float
    rescored: float
    recorded_bits: str
    rescored_bits: str
    recorded_decision: str
    rescored_decision: str


@router.post(
    "/{decision_id}/replays",
    status_code=201,
    response_model=RescoredOut,
    responses=problems(NotFound, KeysAway, SignatureInvalid, MonitorsMissing, ArtifactBad),
)
async def rescore(
    decision_id: UUID, call: Annotated[Call, governed("inference.rescoring.decision", deadline=60)]
) -> Response:
    """The version is loaded anew: its signature, digest and every artifact are checked; nothing that serves is used."""
    authorization = await call.authorize(Object(type="decision", id=str(decision_id)))
    position = await views.position_of(call.views, decision_id)
    if position is None:
        raise NotFound(f"there is no decision {decision_id}; it may not have been shipped to the ledger yet")
    (record,) = await call.resources.store.read("decisions", position - 1, 1)
    keys = await call.resources.keyring.keys(key_ids(record.data))
    made: Any = FACTS.decode(record.type, record.schema_version, opened_record(record, FACTS, keys).data)
    erased = is_sealed(made.inputs)
    score, said = made.score, made.decision
    if not erased:
        loader: Loader = call.resources.serving.loader
        servable = await loader(made.version_id)
        if servable.bundle.digest != made.version_digest:
            raise SignatureInvalid(f"{made.version_id} is not the bundle that decided then")
        score, said = await asyncio.to_thread(again, servable, made)
    command = RecordRescored(
        decision_id=str(decision_id),
        version_id=made.version_id,
        version_digest=made.version_digest,
        recorded=made.score,
        rescored=score,
        equal=not erased and bits(score) == bits(made.score) and said == made.decision,
        erased=erased,
        by=call.caller.person,
    )
    handled = await call.handle(RESCORING, str(decision_id), command, authorization)
    told = RescoredOut(
        decision_id=str(decision_id),
        version_id=made.version_id,
        version_digest=made.version_digest,
        equal=command.equal,
        erased=erased,
        recorded=made.score,
        rescored=score,
        recorded_bits=bits(made.score),
        rescored_bits=bits(score),
        recorded_decision=made.decision,
        rescored_decision=said,
    )
    return Response(
        msgspec.json.encode(told.model_dump()),
        status_code=201,
        media_type="application/json",
        headers={"letopis-position": f"{handled.ledger}/{handled.position}", "cache-control": "no-store"},
    )


def again(servable: Servable, made: DecisionMade) -> tuple[float, str]:
    """The score of the recorded inputs, and what is said of it."""
    if not isinstance(made.inputs, dict):
        raise NotFound("the inputs of this decision are sealed")
    rows = np.array([servable.plan.vector(made.inputs)], dtype=np.float64)
    score = float(servable.scorer.score(rows)[0])
    return score, servable.decision(score)


def bits(score: float) -> str:
    """The float64 as its sixteen hexadecimal digits, most significant first."""
    return pack(">d", score).hex()
