"""The record of a decision, encoded fast: the same canonical bytes as every fact, without walking it in Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

import msgspec
import numpy as np

from letopis.common.envelope import Authorization, Meta, NewFact, encode_meta
from letopis.common.ids import salt, uuid7
from letopis.common.sealing import Sealer
from letopis.inference.decision.events import FACTS, DecisionMade, LookedUp, ReasonCode
from letopis.inference.scoring.model import Matrix
from letopis.inference.scoring.plan import Value
from letopis.inference.scoring.servable import Servable

MADE = ("decisions.decision.made", 1)
REASONS = 3
FIELDS = tuple(one.name for one in fields(DecisionMade))
SUBJECT = FACTS.personal(DecisionMade)["inputs"]
# Equal to `canonical` for a decision: its fields are sorted here, its texts come from JSON or Arrow (no lone
# surrogates), its numbers are checked to be finite before they are scored, its times are aware and in UTC.
_ENCODER = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What all decisions of one request or job have in common."""

    application: str
    api_version: str
    consumer: str
    decided_at: datetime
    as_of: datetime | None = None
    kind: Literal["single", "batch"] = "single"
    job_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A row with its score."""

    entity_id: str
    inputs: Mapping[str, Value]
    looked_up: tuple[LookedUp, ...]
    score: float
    reasons: tuple[ReasonCode, ...] | None
    row: int | None


def decision_of(servable: Servable, asked: Asked, scored: Scored) -> DecisionMade:
    """The fact of one decision."""
    bundle = servable.bundle
    return DecisionMade(
        application=asked.application,
        api_version=asked.api_version,
        model_id=bundle.model_id,
        version_id=bundle.version_id,
        version_digest=bundle.digest,
        consumer=asked.consumer,
        entity=servable.plan.entity,
        entity_id=scored.entity_id,
        inputs=dict(scored.inputs),
        looked_up=scored.looked_up,
        score=scored.score,
        cutoff=servable.cutoff,
        decision=servable.decision(scored.score),
        reasons=scored.reasons,
        decided_at=asked.decided_at,
        as_of=asked.as_of,
        kind=asked.kind,
        job_id=asked.job_id,
        row=scored.row,
    )


def record_of(decision: DecisionMade, meta: bytes, sealer: Sealer) -> NewFact:
    """The decision as final bytes, its inputs sealed under the subject's key; KeysAway if none is at hand."""
    kind, version = MADE
    event_id = uuid7()
    subject = SUBJECT.format(entity=decision.entity, entity_id=decision.entity_id)
    inputs = sealer.seal(kind, event_id, subject, "inputs", _ENCODER.encode(decision.inputs))
    told = {name: getattr(decision, name) for name in FIELDS}
    return NewFact(
        event_id=event_id,
        type=kind,
        schema_version=version,
        salt=salt(),
        data=_ENCODER.encode(told | {"inputs": inputs}),
        meta=meta,
    )


def under_lease(meta: Meta, lease: str) -> bytes:
    """Meta of an effect that rests on a recorded grant: the grant's event id alone."""
    named = Authorization(input={}, result={}, lease=lease)
    return encode_meta(replace(meta, authorization=named))


def reasons_of(servable: Servable, rows: Matrix, scores: Sequence[float]) -> list[tuple[ReasonCode, ...]] | None:
    """For each row the inputs that moved its score most towards the decision taken; None if not exactly known."""
    told = servable.scorer.contributions(rows)
    if told is None:
        return None
    names = [one.name for one in servable.plan.inputs]
    found = []
    for row, score in zip(told, scores, strict=True):
        direction = 1.0 if score >= servable.cutoff else -1.0
        order = np.argsort(-direction * row, kind="stable")[:REASONS]
        found.append(
            tuple(
                ReasonCode(name=names[place], contribution=float(row[place]))
                for place in order
                if math.isfinite(row[place]) and direction * row[place] > 0
            )
        )
    return found
