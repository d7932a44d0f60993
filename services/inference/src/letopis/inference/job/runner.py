"""Runs started jobs one after another; after a crash a job goes on behind its last durable chunk.

A chunk's decisions and its checkpoint are one batch of the journal, so either all of them exist or none: no row is
decided twice and none is left out.
"""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Authorization, Meta, Record, decode_meta, encode_meta
from letopis.common.errors import LetopisError, Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.handling import Desk
from letopis.common.objects import ObjectStore
from letopis.common.sealing import KeysAway, Sealer
from letopis.inference.decision.events import FACTS as DECISIONS
from letopis.inference.decision.events import ChunkScored, DecisionMade, DecisionRefused
from letopis.inference.decision.journal import Journal
from letopis.inference.job.decider import JOB, CompleteJob, FailJob, JobCommand
from letopis.inference.job.events import JobCompleted, JobFailed, JobStarted
from letopis.inference.job.output import Output
from letopis.inference.job.rows import Chunk, chunks
from letopis.inference.job.scorer import ChunkResult, Outcome, score_chunk
from letopis.inference.job.turn import JobTurn
from letopis.inference.scoring.desk import Whole
from letopis.inference.scoring.lookup import FeaturesAway, OnlineFeatures, joined
from letopis.inference.scoring.record import SUBJECT, Asked
from letopis.inference.scoring.servable import Servable
from letopis.inference.scoring.serving import Serving

PAGE = 1000
PAUSE = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A started job and the fact that started it."""

    started: JobStarted
    record: Record


@dataclass(slots=True)
class JobRunner:
    """The jobs of this process. `shipped` is awaited before a job goes on: then the ledger shows what was done."""

    desk: Desk
    store: EventStore
    journal: Journal
    serving: Serving
    features: OnlineFeatures
    objects: ObjectStore
    brought: ObjectStore
    clock: Clock
    sealer: Sealer
    shipped: Callable[[], Awaitable[None]]
    pending: dict[str, Begun] = field(default_factory=dict)
    _done: dict[str, dict[int, list[Outcome]]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _spent: set[str] = field(default_factory=set)

    def hear(self, record: Record) -> None:
        """Every record of the inference ledger, in order."""
        if not JOB.facts.knows(record.type):
            return
        fact = JOB.facts.decode(record.type, record.schema_version, record.data)
        match fact:
            case JobStarted():
                self.pending[fact.job_id] = Begun(started=fact, record=record)
                self._news.set()
            case JobCompleted() | JobFailed():
                ended = self.pending.pop(fact.job_id, None)
                if ended is not None:
                    self._spent.add(ended.started.source_sha256)
                    self._news.set()
            case _:
                return

    async def run(self, turn: JobTurn) -> None:
        """Take the oldest pending job, for ever; Unavailable ends it, to begin again with what is done known."""
        async with turn.held():
            # Another worker may have had the turn: what is done is what the ledger says, once it has all of ours.
            await self.shipped()
            self._done.clear()
            while True:
                self._news.clear()
                self._let_go()
                if not self.pending:
                    await self._news.wait()
                    continue
                begun = next(iter(self.pending.values()))
                try:
                    await self.finish(begun, turn)
                except (FeaturesAway, KeysAway) as away:
                    _log.warning("a job waits: %s", away.detail)
                    await asyncio.sleep(PAUSE)

    async def finish(self, begun: Begun, turn: JobTurn) -> None:
        """Score what is not scored yet and complete the job, or say why it cannot be finished."""
        try:
            command = await self._score(begun, turn)
        except Unavailable:
            raise
        except LetopisError as error:
            command = FailJob(code=error.code, detail=error.detail, at=self.clock.now())
        job_id = begun.started.job_id
        meta = self._meta(begun, lease="")
        await self.desk.handle(JOB, job_id, command, meta, uuid5(begun.record.event_id, "end"))
        self.pending.pop(job_id, None)
        self._done.pop(job_id, None)
        self._spent.add(begun.started.source_sha256)

    def source(self, sha: str) -> Path:
        """The file of that content, verified: one brought for a job, or an object that lasts."""
        return (self.brought if self.brought.has(sha) else self.objects).verified(sha)

    def _let_go(self) -> None:
        """A brought file holds its rows in clear and lives as long as a job needs it; decisions hold them sealed."""
        needed = {one.started.source_sha256 for one in self.pending.values()}
        for sha in self._spent - needed:
            self.brought.remove(sha)
        self._spent &= needed

    async def _score(self, begun: Begun, turn: JobTurn) -> JobCommand:
        started = begun.started
        servable = await self.serving.prepared(started.version_id)
        path = await asyncio.to_thread(self.source, started.source_sha256)
        if started.job_id not in self._done:
            self._done[started.job_id] = await self.done_before(started)
        done = self._done[started.job_id]
        meta = encode_meta(self._meta(begun, lease=str(begun.record.event_id)))
        with tempfile.TemporaryDirectory(prefix="letopis-job-") as folder:
            output = Output(Path(folder) / "scores.parquet", servable.plan.entity)
            pieces = chunks(path, servable.plan, started.chunk_rows)
            while (chunk := await asyncio.to_thread(next, pieces, None)) is not None:
                outcomes = done.get(chunk.number)
                if outcomes is None:
                    result = await self._chunk(servable, started, begun, chunk, meta)
                    await turn.check()
                    await self.journal.append(result.facts)
                    # Kept here as well: a second try in this process may come before the chunk is in the ledger.
                    outcomes = done[chunk.number] = result.outcomes
                await asyncio.to_thread(output.write, outcomes)
            await asyncio.to_thread(output.close)
            sha = await asyncio.to_thread(self.objects.put_file, output.path)
        return CompleteJob(scored=output.scored, refused=output.refused, output_sha256=sha, at=self.clock.now())

    async def _chunk(
        self, servable: Servable, started: JobStarted, begun: Begun, chunk: Chunk, meta: bytes
    ) -> ChunkResult:
        asked = Asked(
            application=started.application,
            api_version=started.api_version,
            consumer=started.consumer,
            decided_at=self.clock.now(),
            as_of=started.as_of,
            kind="batch",
            job_id=started.job_id,
        )
        wholes = await self._whole(servable, begun, chunk)
        who = {"entity": servable.plan.entity}
        await self.sealer.keyring.hold(SUBJECT.format(entity_id=one, **who) for one in chunk.entity_ids)
        return await asyncio.to_thread(score_chunk, servable, asked, chunk, wholes, meta, self.sealer)

    async def _whole(self, servable: Servable, begun: Begun, chunk: Chunk) -> list[Whole]:
        """Columns that the file lacks are looked up online, as a single request's would be."""
        absent = [one.name for one in servable.plan.inputs if one.name not in chunk.columns]
        if servable.plan.bundle is None or not absent:
            return [(row, ()) for row in chunk.rows()]
        purpose = decode_meta(begun.record.meta).purpose
        found = await self.features.look_up(servable.plan.bundle, chunk.entity_ids, purpose)
        return [joined(servable.plan, row, absent, values) for row, values in zip(chunk.rows(), found, strict=True)]

    async def done_before(self, started: JobStarted) -> dict[int, list[Outcome]]:
        """Outcomes of chunks whose checkpoint is in the ledger, read back from their facts."""
        done: dict[int, list[Outcome]] = {}
        current: list[Outcome] = []
        position = started.decisions_head
        while records := await self.store.read("decisions", position, PAGE):
            position = records[-1].position
            for record in records:
                match _fact(record):
                    case DecisionMade() as fact if fact.job_id == started.job_id:
                        current.append(_outcome(fact.row, fact.entity_id, record.event_id, fact.score, fact.decision))
                    case DecisionRefused() as fact if fact.job_id == started.job_id:
                        current.append(_outcome(fact.row, "", record.event_id, None, None))
                    case ChunkScored() as fact if fact.job_id == started.job_id:
                        done[fact.chunk], current = current, []
                    case _:
                        continue
        return done

    def _meta(self, begun: Begun, lease: str) -> Meta:
        """Effects of a job are the starter's, under the authorization that the starting fact holds."""
        first = decode_meta(begun.record.meta)
        return Meta(
            actor=first.actor if lease else Actor(service="inference"),
            purpose=first.purpose,
            tenant=first.tenant,
            correlation_id=first.correlation_id,
            causation_id=str(begun.record.event_id),
            authorization=Authorization(input={}, result={}, lease=lease) if lease else None,
        )


def _fact(record: Record) -> object:
    if not DECISIONS.knows(record.type):
        return None
    return DECISIONS.decode(record.type, record.schema_version, record.data)


def _outcome(row: int | None, entity_id: str, decision_id: UUID, score: float | None, decision: str | None) -> Outcome:
    return Outcome(row=row or 0, entity_id=entity_id, decision_id=str(decision_id), score=score, decision=decision)
