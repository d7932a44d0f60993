"""Releases of policy, drafts first: what each changes, what its rehearsal showed, who did what when."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, select

from letopis.common.envelope import time_text
from letopis.common.projecting import Rows, Told, View, ViewReader
from letopis.registry.policy_release.events import (
    FACTS,
    PolicyDrafted,
    PolicyPublished,
    PolicyRehearsed,
    PolicyWithdrawn,
)


class PolicyReleases(View):
    """One row a release."""

    name = "policy_releases"
    version = 1
    metadata = MetaData()
    table = Table(
        "policy_releases",
        metadata,
        Column("release_id", Text, primary_key=True),
        Column("title", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("base", Text, nullable=False),
        Column("follows", Text, nullable=False),
        Column("after", Text, nullable=False),
        Column("revision", Text, nullable=False),
        Column("changes", JSON, nullable=False),
        Column("author", Text, nullable=False),
        Column("drafted_at", Text, nullable=False),
        Column("rehearsal", Text, nullable=False),
        Column("decisions", Integer, nullable=False),
        Column("flipped", Integer, nullable=False),
        Column("stretches", JSON, nullable=False),
        Column("away", JSON, nullable=False),
        Column("rehearsed_by", Text, nullable=False),
        Column("ended_by", Text, nullable=False),
        Column("ended_at", Text),
        Column("position", Integer, nullable=False),
    )
    sources = {"registry": FACTS}

    def keys(self, told: Told) -> Iterable[tuple[Table, tuple[Any, ...]]]:
        return [(self.table, (told.fact.release_id,))]

    def project(self, rows: Rows, told: Told) -> None:
        fact, place = told.fact, (self.table, (told.fact.release_id,))
        at, position = time_text(told.record.recorded_at), told.record.position
        if isinstance(fact, PolicyDrafted):
            rows[place] = _drafted(fact, at, position)
            return
        row = rows[place]
        if row is None:
            return
        match fact:
            case PolicyRehearsed():
                rows[place] = row | {
                    "rehearsal": fact.sha256,
                    "decisions": fact.decisions,
                    "flipped": fact.flipped,
                    "stretches": [msgspec.to_builtins(one) for one in fact.stretches],
                    "away": list(fact.away),
                    "rehearsed_by": fact.rehearsed_by,
                    "position": position,
                }
            case PolicyPublished():
                rows[place] = row | _ended("published", fact.published_by, at, position)
            case PolicyWithdrawn():
                rows[place] = row | _ended("withdrawn", fact.withdrawn_by, at, position)
            case _:
                pass


def _drafted(fact: PolicyDrafted, at: str, position: int) -> dict[str, Any]:
    return {
        "release_id": fact.release_id,
        "title": fact.title,
        "reason": fact.reason,
        "state": "drafted",
        "base": fact.base,
        "follows": fact.follows,
        "after": fact.after,
        "revision": fact.revision,
        "changes": {one.path: msgspec.json.decode(one.value) for one in fact.changes},
        "author": fact.author,
        "drafted_at": at,
        "rehearsal": "",
        "decisions": 0,
        "flipped": 0,
        "stretches": [],
        "away": [],
        "rehearsed_by": "",
        "ended_by": "",
        "ended_at": None,
        "position": position,
    }


def _ended(state: str, by: str, at: str, position: int) -> dict[str, Any]:
    return {"state": state, "ended_by": by, "ended_at": at, "position": position}


async def everything(views: ViewReader) -> list[dict[str, Any]]:
    """All releases, the newest first."""
    query = select(PolicyReleases.table).order_by(PolicyReleases.table.c.position.desc())
    return [dict(row) for row in await views.rows(PolicyReleases, query)]


async def one(views: ViewReader, release_id: str) -> dict[str, Any] | None:
    """A release, or None."""
    table = PolicyReleases.table
    rows = await views.rows(PolicyReleases, select(table).where(table.c.release_id == release_id))
    return dict(rows[0]) if rows else None
