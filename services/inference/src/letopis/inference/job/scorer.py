"""One chunk of a job: the same plan, model and record as a single request, for many rows at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec
import numpy as np

from letopis.common.envelope import NewFact
from letopis.common.handling import new_fact
from letopis.common.sealing import Sealer
from letopis.inference.decision.events import FACTS, ChunkScored, DecisionRefused, FieldProblem
from letopis.inference.job.rows import Chunk
from letopis.inference.scoring.desk import Whole, problems_of, unnamed
from letopis.inference.scoring.plan import BadRows, Value
from letopis.inference.scoring.record import Asked, Scored, decision_of, record_of
from letopis.inference.scoring.servable import Servable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row's line in the output; score and decision are None where it was refused."""

    row: int
    entity_id: str
    decision_id: str
    score: float | None
    decision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """The facts of a chunk, its checkpoint last, and its lines of output."""

    facts: list[NewFact]
    outcomes: list[Outcome]


def score_chunk(
    servable: Servable, asked: Asked, chunk: Chunk, wholes: Sequence[Whole], meta: bytes, sealer: Sealer
) -> ChunkResult:
    """Score what can be scored, refuse the other rows one by one; never the whole chunk for one bad row."""
    vectors = chunk.vectors(servable.plan)
    if vectors is None:
        vectors = np.array([servable.plan.vector(inputs) for inputs, _ in wholes], dtype=np.float64)
    needed = np.array([one.required or not servable.scorer.takes_missing for one in servable.plan.inputs])
    strange = [unnamed(servable, entity_id) for entity_id in chunk.entity_ids]
    fit = ~((np.isnan(vectors) & needed) | np.isinf(vectors)).any(axis=1)
    fit &= np.array([one is None for one in strange], dtype=bool)
    scores = np.full(len(wholes), np.nan)
    if fit.any():
        scores[fit] = servable.scorer.score(vectors[fit])
    facts: list[NewFact] = []
    outcomes: list[Outcome] = []
    for place, ((inputs, origins), score, entity_id) in enumerate(
        zip(wholes, scores.tolist(), chunk.entity_ids, strict=True)
    ):
        row = chunk.first_row + place
        if math.isfinite(score):
            made = Scored(entity_id=entity_id, inputs=inputs, looked_up=origins, score=score, reasons=None, row=row)
            decision = decision_of(servable, asked, made)
            fact = record_of(decision, meta, sealer)
            outcomes.append(_line(row, entity_id, fact, score, decision.decision))
        else:
            wrong = strange[place]
            found = [wrong] if wrong is not None else problems_of(servable, [(inputs, origins)])
            found = found or [FieldProblem(field="", message="no finite score for these values")]
            fact = new_fact(FACTS, _refused(servable, asked, row, found, inputs), meta)
            outcomes.append(_line(row, "" if wrong is not None else entity_id, fact, None, None))
        facts.append(fact)
    scored = sum(1 for one in outcomes if one.score is not None)
    checkpoint = ChunkScored(
        job_id=asked.job_id,
        chunk=chunk.number,
        first_row=chunk.first_row,
        rows=len(outcomes),
        scored=scored,
        refused=len(outcomes) - scored,
    )
    facts.append(new_fact(FACTS, checkpoint, meta))
    return ChunkResult(facts=facts, outcomes=outcomes)


def _refused(
    servable: Servable, asked: Asked, row: int, problems: Sequence[FieldProblem], inputs: Mapping[str, Value]
) -> DecisionRefused:
    return DecisionRefused(
        application=asked.application,
        api_version=asked.api_version,
        version_id=servable.bundle.version_id,
        consumer=asked.consumer,
        code=BadRows.code,
        problems=tuple(problems),
        body_sha256=sha256(msgspec.json.encode(inputs, order="sorted")).hexdigest(),
        refused_at=asked.decided_at,
        kind=asked.kind,
        job_id=asked.job_id,
        row=row,
    )


def _line(row: int, entity_id: str, fact: NewFact, score: float | None, decision: str | None) -> Outcome:
    return Outcome(row=row, entity_id=entity_id, decision_id=str(fact.event_id), score=score, decision=decision)
