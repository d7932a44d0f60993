"""One scoring request from its bytes to its answer: lease, rows, values, scores, record, and only then the answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import repeat
from typing import Any

import msgspec
import numpy as np

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.handling import new_fact
from letopis.common.identity.caller import Caller
from letopis.common.policy.lease import Lease, Leases
from letopis.common.policy.verdict import Object, Question, Subject
from letopis.common.sealing import Sealer
from letopis.common.sealing.pseudonym import looks_personal
from letopis.inference.decision.events import FACTS, DecisionRefused, FieldProblem, LookedUp
from letopis.inference.decision.journal import Journal
from letopis.inference.scoring.lookup import OnlineFeatures, joined
from letopis.inference.scoring.model import Matrix
from letopis.inference.scoring.plan import BadRows, Row, Value
from letopis.inference.scoring.record import Asked, Scored, decision_of, reasons_of, record_of, under_lease
from letopis.inference.scoring.servable import Servable
from letopis.inference.scoring.serving import Serving, Target

ACTION = "inference.scoring.score"
_QUOTED = re.compile("`[^`]*`")
_NAME = re.compile(r"(?!.*[0-9]{9})[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
Key = tuple[str, str, str, str]
Whole = tuple[dict[str, Value], tuple[LookedUp, ...]]


class ModelTold(msgspec.Struct, frozen=True):
    """Which version scored."""

    model_id: str
    version_id: str
    version_digest: str


class ReasonTold(msgspec.Struct, frozen=True):
    """How much an input moved the score, in log-odds."""

    name: str
    contribution: float


class Answer(msgspec.Struct, frozen=True):
    """What the caller gets for a row. The decision id names the recorded fact."""

    decision_id: str
    entity_id: str
    score: float
    decision: str
    cutoff: float
    application: str
    api_version: str
    model: ModelTold
    policy_revision: str
    reasons: tuple[ReasonTold, ...] | None = None


class Answers(msgspec.Struct, frozen=True):
    """What the caller gets for an array of rows, in its order."""

    decisions: list[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A scoring request as it came in."""

    application: str
    api_version: str
    body: bytes
    explain: bool = False
    correlation_id: str = ""


@dataclass(slots=True)
class ScoringDesk:
    """Where requests are scored. Nothing leaves before the journal holds it."""

    serving: Serving
    leases: Leases[Key]
    journal: Journal
    features: OnlineFeatures
    clock: Clock
    sealer: Sealer
    _meta: dict[str, bytes] = field(default_factory=dict)

    async def score(self, caller: Caller, request: Request) -> Answer | Answers:
        """The answer, durable in the journal. Raises NotFound, NotLoaded, Forbidden, BadRows, Unavailable."""
        target = self.serving.find(request.application, request.api_version)
        lease = await self.lease(caller, target)
        return await self.under(lease, target, caller, request)

    async def lease(self, caller: Caller, target: Target) -> Lease:
        """The caller's lease for this application; Forbidden once the denial is in the journal."""
        active = target.active
        key = (caller.login, active.application, active.api_version, caller.purpose)
        return self.leases.get(key) or await self.leases.hold(key, self.question(caller, target))

    def question(self, caller: Caller, target: Target) -> Question:
        active = target.active
        return Question(
            action=ACTION,
            subject=Subject(
                person=caller.person,
                login=caller.login,
                service=caller.service,
                roles=caller.roles,
                groups=caller.groups,
                mfa_at=caller.mfa_at,
                trainings=caller.trainings,
            ),
            purpose=caller.purpose,
            object=Object(
                type="application",
                id=active.deployment_id,
                attributes={"model_id": active.model_id, "version_id": active.version_id},
            ),
            time=self.clock.now(),
            facts={"consumers": list(active.consumers)},
        )

    async def under(self, lease: Lease, target: Target, caller: Caller, request: Request) -> Answer | Answers:
        """Score under a lease that holds."""
        servable, meta = target.servable, self._circumstances(lease, caller, request.correlation_id)
        asked = Asked(
            application=request.application,
            api_version=request.api_version,
            consumer=caller.login,
            decided_at=self.clock.now(),
        )
        try:
            rows, single = parsed(target, request.body)
            named(servable, rows)
            wholes = await self._whole(servable, rows, caller.purpose)
            vectors = vectors_of(servable, wholes)
            scores = scored(servable, vectors)
        except BadRows as bad:
            await self._refuse(servable, asked, bad, request.body, meta)
            raise
        reasons: Sequence[Any] = (reasons_of(servable, vectors, scores) if request.explain else None) or []
        facts, answers = [], []
        for number, (row, (inputs, origins), score) in enumerate(zip(rows, wholes, scores, strict=True)):
            decision = decision_of(
                servable,
                asked,
                Scored(
                    entity_id=row.entity_id,
                    inputs=inputs,
                    looked_up=origins,
                    score=score,
                    reasons=reasons[number] if reasons else None,
                    row=None if single else number,
                ),
            )
            fact = record_of(decision, meta, self.sealer)
            facts.append(fact)
            answers.append(_answer(servable, asked, str(fact.event_id), decision, lease))
        await self.journal.append(facts)
        return answers[0] if single else Answers(answers)

    async def _whole(self, servable: Servable, rows: Sequence[Row], purpose: str) -> list[Whole]:
        """Rows with everything that can be looked up; a row whose entity is not named is looked up nowhere."""
        bundle = servable.plan.bundle
        wanted = [row for row in rows if row.absent and row.entity_id] if bundle else []
        if bundle is None or not wanted:
            return [(row.inputs, ()) for row in rows]
        found = await self.features.look_up(bundle, [row.entity_id for row in wanted], purpose)
        values = {id(row): one for row, one in zip(wanted, found, strict=True)}
        return [joined(servable.plan, row.inputs, row.absent, values.get(id(row), {})) for row in rows]

    async def _refuse(self, servable: Servable, asked: Asked, bad: BadRows, body: bytes, meta: bytes) -> None:
        refused = DecisionRefused(
            application=asked.application,
            api_version=asked.api_version,
            version_id=servable.bundle.version_id,
            consumer=asked.consumer,
            code=bad.code,
            problems=recorded(servable, bad.problems),
            body_sha256=sha256(body).hexdigest(),
            refused_at=asked.decided_at,
            kind=asked.kind,
            job_id=asked.job_id,
            row=None,
        )
        await self.journal.append([new_fact(FACTS, refused, meta)])

    def _circumstances(self, lease: Lease, caller: Caller, correlation_id: str) -> bytes:
        """Meta under the lease; the same bytes for every request that brings no correlation id of its own."""
        meta = Meta(
            actor=Actor(person=caller.person, login=caller.login, service=caller.service, issuer=caller.issuer),
            purpose=caller.purpose,
            correlation_id=correlation_id,
        )
        if correlation_id:
            return under_lease(meta, lease.event_id)
        known = self._meta.get(lease.event_id)
        if known is None:
            if len(self._meta) > 1000:
                self._meta.clear()
            known = self._meta[lease.event_id] = under_lease(meta, lease.event_id)
        return known


def problems_of(servable: Servable, wholes: Sequence[Whole]) -> list[FieldProblem]:
    """What keeps rows from being scored: required inputs without a value, or any, where the model takes none."""
    found: dict[FieldProblem, None] = {}
    for inputs, _ in wholes:
        found.update(zip(servable.plan.missing(inputs), repeat(None)))
        if not servable.scorer.takes_missing:
            for one in servable.plan.inputs:
                if not one.required and inputs.get(one.name) is None:
                    found[FieldProblem(field=one.name, message="has no value, and this model takes none missing")] = (
                        None
                    )
    return list(found)


def parsed(target: Target, body: bytes) -> tuple[list[Row], bool]:
    """The rows, and whether it was one; BadRows also where the deployment takes fewer at once."""
    rows, single = target.servable.plan.parse(body)
    if len(rows) > target.active.most_rows:
        raise BadRows([FieldProblem(field="", message=f"send at most {target.active.most_rows} rows at once")])
    return rows, single


def named(servable: Servable, rows: Sequence[Row]) -> None:
    """BadRows where a client is named by something that must not stand in a ledger in clear."""
    found = dict.fromkeys(one for row in rows if (one := unnamed(servable, row.entity_id)) is not None)
    if found:
        raise BadRows(list(found))


def unnamed(servable: Servable, entity_id: str) -> FieldProblem | None:
    """Why this is no name of a client, or None."""
    kind = looks_personal(entity_id)
    if not kind:
        return None
    return FieldProblem(field=servable.plan.entity, message=f"looks like {kind}; name the client by a pseudonym")


def recorded(servable: Servable, problems: Sequence[FieldProblem]) -> tuple[FieldProblem, ...]:
    """What is kept of problems: the caller's own words, unless they read like a field's name, may be personal."""
    known = {one.name for one in servable.plan.inputs} | {servable.plan.entity}
    kept = []
    for one in problems:
        if one.field in known or _NAME.match(one.field):
            kept.append(one)
        elif one.field:
            kept.append(FieldProblem(field="", message="a field that is not in the signature; its name is not kept"))
        else:
            kept.append(FieldProblem(field="", message=_QUOTED.sub("`...`", one.message)))
    return tuple(dict.fromkeys(kept))


def vectors_of(servable: Servable, wholes: Sequence[Whole]) -> Matrix:
    """The matrix that the model sees; BadRows names what is missing."""
    if problems := problems_of(servable, wholes):
        raise BadRows(problems)
    return np.array([servable.plan.vector(inputs) for inputs, _ in wholes], dtype=np.float64)


def scored(servable: Servable, vectors: Matrix) -> list[float]:
    """Scores of complete rows; BadRows where the model gives no finite number."""
    if not np.all(np.isfinite(vectors) | np.isnan(vectors)):
        raise BadRows([FieldProblem(field="", message="an input is infinite")])
    scores = servable.scorer.score(vectors)
    if not np.all(np.isfinite(scores)):
        raise BadRows([FieldProblem(field="", message="the model gives no finite score for these values")])
    told: list[float] = scores.tolist()
    return told


def _answer(servable: Servable, asked: Asked, decision_id: str, decision: Any, lease: Lease) -> Answer:
    bundle = servable.bundle
    return Answer(
        decision_id=decision_id,
        entity_id=decision.entity_id,
        score=decision.score,
        decision=decision.decision,
        cutoff=decision.cutoff,
        application=asked.application,
        api_version=asked.api_version,
        model=ModelTold(model_id=bundle.model_id, version_id=bundle.version_id, version_digest=bundle.digest),
        policy_revision=lease.verdict.authorization.revision,
        reasons=None
        if decision.reasons is None
        else tuple(ReasonTold(one.name, one.contribution) for one in decision.reasons),
    )
