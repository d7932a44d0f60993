"""The one gateway for offline reads: gate, grants, policy, fact, and only then rows.

The order is the promise. The statement passes the gate; policy answers for every column; `access.read.started` with
actor, purpose, grants, columns, masks, policy answer, statement hashes and snapshots MUST be durable; then files are
opened, masked and queried in a sandbox; then `access.read.completed` with rows, bytes and hash MUST be durable; only
then do the rows leave.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Generic, TypeVar

from letopis.common.envelope import Authorization, time_text
from letopis.common.errors import Forbidden, LetopisError, Refused, Unavailable
from letopis.common.handling import Desk
from letopis.common.http import Call, Object
from letopis.features.grant.decider import GRANT, Issued, Revoked
from letopis.features.grant.views import candidates
from letopis.features.query.decider import READ, CompleteRead, FailRead, RefuseRead, StartRead
from letopis.features.query.events import ReadKind, ReadStarted
from letopis.features.query.gate import Columns, Inspected, inspect, tables_of
from letopis.features.query.masking import TREATMENTS, Tokens, masked, tokens_of
from letopis.features.query.rows import Condition, ConditionUnknown, columns_of, imposed, seen
from letopis.features.query.sandbox import Sandbox
from letopis.features.source.decider import SOURCE, Registered, SourceUnknown
from letopis.features.source.lake import Lake, treated_columns

V = TypeVar("V")

# The strictest of several answers for a column counts.
_STRICTNESS = ("clear", "year", "token", "null", "deny")
# The obligations that this gateway fulfils.
FULFILS = ("column", "rows")


class ExtractMissing(Refused):
    """Nothing was ever loaded from it."""

    code = "source.extract_missing"
    title = "The source has no extract record, so nothing of it may be read"


class PolicyIncomplete(LetopisError):
    """Policy allowed a read without saying how each column is shown; nothing is read."""

    code = "query.policy_incomplete"
    title = "Policy did not say how every column is to be shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Statements that passed the gate, and the sources they touch, as of now."""

    statements: Mapping[str, Inspected]
    sources: Mapping[str, Registered]
    parsed: Columns
    planned: Columns
    snapshots: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Policy's consent: how each column is shown, which rows are seen, and the grants it rests on."""

    plan: Plan
    authorization: Authorization
    masks: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, tuple[Condition, ...]]
    grants: tuple[str, ...]
    tokens: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Generic[V]):
    """What a read made: the value to answer with, and what is recorded of it."""

    value: V
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[V]):
    """A read that is recorded whole."""

    read_id: str
    position: int
    value: V


@dataclass(frozen=True, slots=True)
class Gateway:
    """Reads for callers; at most two at once, the others wait."""

    desk: Desk
    sources: Desk
    lake: Lake
    master: bytes
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def plan(self, call: Call, statements: Mapping[str, str]) -> Plan:
        """Pass the statements through the gate; a refusal is recorded before it is told."""
        try:
            return await self._plan(statements)
        except (Refused, Forbidden) as error:
            text = "\n".join(statements.values()).encode()
            refusal = RefuseRead(
                read_id=call.new_id(),
                person=who(call),
                purpose=call.purpose,
                code=error.code,
                statement_sha256=sha256(text).hexdigest(),
            )
            await self.desk.handle(READ, refusal.read_id, refusal, call.meta(None))
            raise

    async def permit(
        self,
        call: Call,
        plan: Plan,
        object: Object,
        *,
        grants: Sequence[str] = (),
        unmask: Sequence[str] = (),
        scheduled: bool = False,
    ) -> Permit:
        """Ask policy about every column and what the scan costs; Forbidden once the denial is durable.

        `scheduled` says that nobody waits for the answer: a source may bear less of that.
        """
        known = await self._grants(call, grants)
        columns = [
            {
                "source": id,
                "column": column,
                "class": plan.sources[id].cls(column),
                "kind": plan.sources[id].kinds.get(column, ""),
                "zone": plan.sources[id].zone,
                "unmask": f"{id}.{column}" in unmask,
            }
            for id, columns in plan.planned.items()
            for column in columns
        ]
        zones = sorted({one.zone for one in plan.sources.values()})
        asked = Object(
            type=object.type,
            id=object.id,
            attributes={**object.attributes, "columns": columns, "zones": zones, "scheduled": scheduled},
        )
        scans = [{"source": id, "rows": source.rows} for id, source in plan.sources.items()]
        authorization = await call.authorize(asked, facts={"grants": known, "holder": who(call), "scans": scans})
        # The reading rests on those that were live when policy was asked, not on all that it was shown.
        then = authorization.input["context"]["time"]
        live = sorted(one["grant_id"] for one in known if not one["revoked"] and then < one["not_after"])
        return Permit(
            plan=plan,
            authorization=authorization,
            masks=_masks(authorization, plan.planned),
            rows=imposed(authorization.result["obligations"]),
            grants=tuple(live),
            tokens=tokens_of(self.master, call.purpose),
        )

    async def read(
        self,
        call: Call,
        permit: Permit,
        kind: ReadKind,
        object_id: str,
        work: Callable[[Sandbox], Result[V]],
        *,
        sources: bool = True,
    ) -> Done[V]:
        """Record, read, record, return. `work` runs in a thread, in the sandbox, which is empty without `sources`."""
        read_id, meta = call.new_id(), call.meta(permit.authorization)
        started = ReadStarted(
            read_id=read_id,
            kind=kind,
            object_id=object_id,
            person=who(call),
            purpose=call.purpose,
            grants=permit.grants,
            parsed=permit.plan.parsed,
            planned=permit.plan.planned,
            masks={source: dict(columns) for source, columns in permit.masks.items()},
            tokens=permit.tokens.key_id,
            sql_hashes=tuple(one.sql_hash for one in permit.plan.statements.values()),
            snapshots=dict(permit.plan.snapshots),
        )
        await self.desk.handle(READ, read_id, StartRead(read=started), meta)
        try:
            async with self.turns:
                result = await asyncio.to_thread(self._work, permit, work, sources=sources)
        except Exception as error:
            code = error.code if isinstance(error, LetopisError) else "internal"
            # The failure is worth a fact, and its absence must not hide the failure itself.
            with suppress(Unavailable):
                await self.desk.handle(READ, read_id, FailRead(code=code), meta)
            raise
        completed = CompleteRead(rows=result.rows, bytes=result.bytes, result_sha256=result.sha256)
        handled = await self.desk.handle(READ, read_id, completed, meta)
        return Done(read_id=read_id, position=handled.position, value=result.value)

    def _work(self, permit: Permit, work: Callable[[Sandbox], Result[V]], *, sources: bool) -> Result[V]:
        tables = {}
        for id, source in permit.plan.sources.items() if sources else ():
            if source.extract is None:
                raise ExtractMissing(f"{id} has no extract record", source_id=id)
            shown = permit.masks.get(id, {})
            # A count of rows reads no column, but rows are counted on some column; the first is never shown.
            wanted = treated_columns(shown) or (source.extract.columns[0].name,)
            conditions = permit.rows.get(id, ())
            looked_at = sorted(columns_of(conditions) - set(wanted))
            if missing := set(looked_at) - set(source.dictionary):
                raise ConditionUnknown(f"{id} has no column {', '.join(sorted(missing))}")
            table = seen(self.lake.load(source.extract.files, (*wanted, *looked_at)), conditions).drop_columns(
                looked_at
            )
            kinds = {column: source.kinds.get(column, "") for column in wanted}
            treatments = shown or {wanted[0]: "null"}
            tables[id] = masked(table, treatments, kinds, permit.tokens)
        with Sandbox(tables) as sandbox:
            return work(sandbox)

    async def _plan(self, statements: Mapping[str, str]) -> Plan:
        named = sorted({table for sql in statements.values() for table in tables_of(sql)})
        sources: dict[str, Registered] = {}
        for id in named:
            state = (await self.sources.load(SOURCE, id)).state
            if not isinstance(state, Registered):
                raise SourceUnknown(f"no source is called {id}", source_id=id)
            # A production source has no extract and no dictionary; policy, not the gate, says why it is not read.
            if state.extract is None and state.zone != "production":
                raise ExtractMissing(f"{id} has no extract record", source_id=id)
            sources[id] = state
        if any(one.zone == "production" for one in sources.values()):
            return Plan(statements={}, sources=sources, parsed={}, planned={}, snapshots={})
        dictionary = {id: one.dictionary for id, one in sources.items()}
        seen = {name: await asyncio.to_thread(inspect, sql, dictionary) for name, sql in statements.items()}
        return Plan(
            statements=seen,
            sources=sources,
            parsed=_merged(one.parsed for one in seen.values()),
            planned=_merged(one.planned for one in seen.values()),
            snapshots={id: one.extract.snapshot_id for id, one in sources.items() if one.extract},
        )

    async def _grants(self, call: Call, named: Sequence[str]) -> list[dict[str, Any]]:
        """The grants to decide upon, each from its own stream; a read model only says which might fit."""
        ids = list(named) or await candidates(call.views, who(call), call.caller.groups, call.purpose)
        found = []
        for id in ids:
            state = (await self.sources.load(GRANT, id)).state
            if not isinstance(state, Issued | Revoked):
                continue
            grant = state.grant
            # A notebook's key is for one use case, and opens no grant of another project.
            if call.caller.use_case not in {"", grant.project}:
                continue
            found.append(
                {
                    "grant_id": grant.grant_id,
                    "grantee": grant.grantee,
                    "purpose": grant.purpose,
                    "not_after": time_text(grant.not_after),
                    "revoked": isinstance(state, Revoked),
                    "unmask": grant.unmask,
                    "columns": [f"{source}.{name}" for source, names in grant.columns.items() for name in names],
                }
            )
        return found


def who(call: Call) -> str:
    """The person behind the call, or the service."""
    return call.caller.person or call.caller.login


def _masks(authorization: Authorization, columns: Columns) -> dict[str, dict[str, str]]:
    """How each column is shown, from the obligations; PolicyIncomplete unless every column has an answer."""
    masks: dict[str, dict[str, str]] = {source: {} for source in columns}
    for one in authorization.result["obligations"]:
        if one["type"] != "column" or one.get("treatment") not in TREATMENTS:
            continue
        before = masks.setdefault(one["source"], {}).get(one["column"], _STRICTNESS[0])
        masks[one["source"]][one["column"]] = max(before, one["treatment"], key=_STRICTNESS.index)
    for source, names in columns.items():
        for name in names:
            if masks[source].get(name, "deny") == "deny":
                raise PolicyIncomplete(f"policy says nothing of {source}.{name}")
    return {source: {name: masks[source][name] for name in names} for source, names in columns.items()}


def stricter(one: str, other: str) -> str:
    """The stricter of two treatments."""
    return max(one, other, key=_STRICTNESS.index)


def _merged(parts: Any) -> Columns:
    seen: dict[str, set[str]] = {}
    for part in parts:
        for table, columns in part.items():
            seen.setdefault(table, set()).update(columns)
    return {table: tuple(sorted(columns)) for table, columns in sorted(seen.items())}
