"""What the registry said of versions, and which applications are answered by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.inference.deployment.decider import Promotion
from letopis.inference.deployment.events import (
    FACTS,
    ConsumerGranted,
    ConsumerRevoked,
    Deployed,
    LoadFailed,
    Replaced,
    Retired,
)
from letopis.inference.scoring.servable import Bundle
from letopis.registry.contract import (
    CONTRACT,
    BreakGlassOpened,
    ProductionEntered,
    ProductionRolledBack,
    PromotionCompleted,
    VersionRegistered,
)


class KnownVersion(View):
    """One row a registered version: its manifest and signature, its promotion, whether it is in production."""

    name = "known_version"
    version = 1
    metadata = MetaData()
    table = Table(
        "known_version",
        metadata,
        Column("version_id", Text, primary_key=True),
        Column("model_id", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("manifest", JSON, nullable=False),
        Column("author", Text, nullable=False),
        Column("signature", Text, nullable=False),
        Column("key_id", Text, nullable=False),
        Column("promotion_id", Text, nullable=False),
        Column("promotion_digest", Text, nullable=False),
        Column("in_production", Boolean, nullable=False),
    )
    sources = {"registry": CONTRACT}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        match told.fact:
            case (
                VersionRegistered(version_id=one)
                | PromotionCompleted(version_id=one)
                | BreakGlassOpened(version_id=one)
            ):
                return [(self.table, (one,))]
            case ProductionEntered(version_id=entered, replaces=replaced):
                return [(self.table, (one,)) for one in (entered, replaced) if one]
            case ProductionRolledBack(from_version_id=left, to_version_id=entered):
                return [(self.table, (left,)), (self.table, (entered,))]
            case _:
                return []

    def project(self, rows: Rows, told: Told) -> None:
        match told.fact:
            case VersionRegistered() as fact:
                rows[self.table, (fact.version_id,)] = {
                    "version_id": fact.version_id,
                    "model_id": fact.model_id,
                    "digest": fact.digest,
                    "manifest": fact.manifest,
                    "author": fact.author,
                    "signature": fact.signature,
                    "key_id": fact.key_id,
                    "promotion_id": "",
                    "promotion_digest": "",
                    "in_production": False,
                }
            case PromotionCompleted() as fact:
                self._change(
                    rows, fact.version_id, promotion_id=fact.promotion_id, promotion_digest=fact.version_digest
                )
            case BreakGlassOpened() as fact:
                # An emergency stands where the promotion would, named by its own id.
                self._change(
                    rows, fact.version_id, promotion_id=fact.break_glass_id, promotion_digest=fact.version_digest
                )
            case ProductionEntered() as fact:
                if fact.replaces:
                    self._change(rows, fact.replaces, in_production=False)
                self._change(rows, fact.version_id, in_production=True)
            case ProductionRolledBack() as fact:
                self._change(rows, fact.from_version_id, in_production=False)
                self._change(rows, fact.to_version_id, in_production=True)
            case _:
                pass

    def _change(self, rows: Rows, version_id: str, **values: Any) -> None:
        row = rows[self.table, (version_id,)]
        if row is not None:
            rows[self.table, (version_id,)] = {**row, **values}


class DeploymentSummary(View):
    """One row a deployment: what answers, for whom, since when."""

    name = "deployment"
    version = 1
    metadata = MetaData()
    table = Table(
        "deployment_summary",
        metadata,
        Column("deployment_id", Text, primary_key=True),
        Column("application", Text, nullable=False),
        Column("api_version", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("model_id", Text, nullable=False),
        Column("version_id", Text, nullable=False),
        Column("version_digest", Text, nullable=False),
        Column("follows", Text, nullable=False),
        Column("consumers", JSON, nullable=False),
        Column("most_rows", Integer, nullable=False),
        Column("deployed_by", Text, nullable=False),
        Column("since", Text, nullable=False),
        Column("note", Text, nullable=False),
    )
    sources = {"inference": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.deployment_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, key = told.fact, (told.fact.deployment_id,)
        moment = time_text(told.record.recorded_at)
        if isinstance(fact, Deployed):
            rows[self.table, key] = {
                "deployment_id": fact.deployment_id,
                "application": fact.application,
                "api_version": fact.api_version,
                "state": "active",
                "model_id": fact.model_id,
                "version_id": fact.version_id,
                "version_digest": fact.version_digest,
                "follows": fact.follows,
                "consumers": list(fact.consumers),
                "most_rows": fact.most_rows,
                "deployed_by": fact.by,
                "since": moment,
                "note": "",
            }
        elif (row := rows[self.table, key]) is not None:
            rows[self.table, key] = {**row, **_changed(row, fact, moment)}


def _changed(row: Mapping[str, Any], fact: Any, moment: str) -> dict[str, Any]:
    match fact:
        case Replaced():
            return {
                "version_id": fact.version_id,
                "version_digest": fact.version_digest,
                "since": moment,
                "note": fact.cause,
            }
        case LoadFailed():
            return {"note": f"{fact.version_id} could not take over: {fact.detail}"}
        case ConsumerGranted():
            return {"consumers": sorted({*row["consumers"], fact.consumer})}
        case ConsumerRevoked():
            return {"consumers": [one for one in row["consumers"] if one != fact.consumer]}
        case Retired():
            return {"state": "retired", "since": moment, "note": fact.reason}
        case _:
            return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version as it could be deployed."""

    bundle: Bundle
    author: str
    promotion: Promotion | None
    in_production: bool


async def candidate(views: ViewReader, version_id: str) -> Candidate | None:
    """A version the registry told of, or None."""
    table = KnownVersion.table
    rows = await views.rows(KnownVersion, select(table).where(table.c.version_id == version_id))
    if not rows:
        return None
    row = rows[0]
    promotion = Promotion(promotion_id=row["promotion_id"], version_digest=row["promotion_digest"])
    return Candidate(
        bundle=Bundle(
            version_id=row["version_id"],
            model_id=row["model_id"],
            digest=row["digest"],
            manifest=row["manifest"],
            signature=row["signature"],
            key_id=row["key_id"],
        ),
        author=row["author"],
        promotion=promotion if row["promotion_id"] else None,
        in_production=row["in_production"],
    )


async def deployments(views: ViewReader, *, active: bool = False) -> list[dict[str, Any]]:
    """Deployments by application and API version."""
    table = DeploymentSummary.table
    wanted = select(table).order_by(table.c.application, table.c.api_version)
    if active:
        wanted = wanted.where(table.c.state == "active")
    return [dict(row) for row in await views.rows(DeploymentSummary, wanted)]
