"""The policy in force, and its way to another one: draft, rehearsal, publication by a second person."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.policy.amending import ChangeRefused, amended
from letopis.common.serialization import canonical
from letopis.registry.policy_release import composing, rehearsing, views
from letopis.registry.policy_release.decider import (
    ALL,
    RELEASES,
    Draft,
    NothingChanges,
    NotRehearsed,
    Open,
    Publish,
    Rehearse,
    ReleaseOutdated,
    Releases,
    ReleaseUnknown,
    SelfPublication,
    Withdraw,
)

router = APIRouter(prefix="/v1", tags=["policy_release"])
STATEMENT = "letopis-rehearsal-v1\n"

Text = Annotated[str, Field(min_length=3, max_length=2000)]


class DraftIn(Body):
    """`changes` by path, on top of what is in force; null takes a change back (letopis.common.policy.amending)."""

    title: Annotated[str, Field(min_length=3, max_length=200)]
    reason: Text
    changes: Annotated[dict[str, Any], Field(min_length=1, max_length=500)]


class RehearsalIn(Body):
    """How many of the newest facts of each ledger are looked through for decisions."""

    newest: Annotated[int, Field(ge=1, le=50_000)] = 5000


class PublicationIn(Body):
    """The number of the rehearsal that the person looked at."""

    rehearsal: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class WithdrawalIn(Body):
    reason: Text


class PolicyOut(BaseModel):
    revision: str
    base: str
    release_id: str
    changes: dict[str, Any]
    settings: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    actions: list[dict[str, Any]]


class ReleaseOut(BaseModel):
    release_id: str
    title: str
    reason: str
    state: str
    base: str
    follows: str
    after: str
    revision: str
    changes: dict[str, Any]
    author: str
    drafted_at: str
    rehearsal: str
    decisions: int
    flipped: int
    stretches: list[dict[str, Any]]
    away: list[str]
    rehearsed_by: str
    ended_by: str
    ended_at: str | None


@router.get("/policy")
async def policy(call: Annotated[Call, governed("registry.policy_release.read")]) -> PolicyOut:
    """The catalogue: what is in force, every rule with its owner and its remedy, every action with its roles."""
    await call.authorize(Object(type="policy", id="*"))
    state, composed = await _here(call)
    return PolicyOut(
        revision=composed.in_force.revision,
        base=composed.base.revision,
        release_id=state.last,
        changes=dict(composed.changes),
        settings=composing.settings(composed),
        rules=composing.rules(composed),
        actions=composing.actions(composed),
    )


@router.get("/policy-releases")
async def releases(call: Annotated[Call, governed("registry.policy_release.read")]) -> list[ReleaseOut]:
    await call.authorize(Object(type="policy_release", id="*"))
    return [ReleaseOut(**one) for one in await views.everything(call.views)]


@router.get("/policy-releases/{release_id}", responses=problems(NotFound))
async def release(release_id: str, call: Annotated[Call, governed("registry.policy_release.read")]) -> ReleaseOut:
    await call.authorize(Object(type="policy_release", id=release_id))
    return ReleaseOut(**await _known(call, release_id))


@router.post(
    "/policy-releases",
    status_code=201,
    response_model=Receipt,
    responses=problems(ChangeRefused, NothingChanges, ReleaseOutdated),
)
async def draft(body: DraftIn, call: Annotated[Call, governed("registry.policy_release.draft")]) -> Response:
    """Every change is held against what its room lets be changed; what does not fit is named."""
    release_id = call.new_id()
    state, composed = await _here(call)
    changes = composing.on_top(composed.changes, body.changes)
    paths = composing.touched(composed.changes, changes)
    authorization = await call.authorize(Object(type="policy_release", id=release_id), facts={"paths": paths})
    command = Draft(
        release_id=release_id,
        title=body.title,
        reason=body.reason,
        base=composed.base.revision,
        follows=composed.in_force.revision,
        after=state.last,
        revision=amended(composed.rooms, changes).revision,
        changes=composing.changes_of(changes),
        author=call.caller.person,
    )
    return call.receipt(await call.handle(RELEASES, ALL, command, authorization))


@router.post(
    "/policy-releases/{release_id}/rehearsals",
    status_code=201,
    response_model=Receipt,
    responses=problems(ReleaseUnknown, ReleaseOutdated, rehearsing.RehearsalFailed),
)
async def rehearse(
    release_id: str,
    body: RehearsalIn,
    call: Annotated[Call, governed("registry.policy_release.rehearse", deadline=180)],
) -> Response:
    """Recorded decisions are asked again under what is in force and under the draft; the difference is signed."""
    authorization = await call.authorize(Object(type="policy_release", id=release_id))
    state, composed = await _here(call)
    drafted = _open(state, release_id).drafted
    resources = call.resources
    ledgers = rehearsing.sources(resources.store, resources.http, resources.tokens, resources.settings.url_of)
    found, stretches, away = await rehearsing.gather(ledgers, body.newest)
    after = await asyncio.to_thread(amended, composed.rooms, composing.values(drafted.changes))
    told = await rehearsing.compare(composed.in_force, after, found)
    document = canonical({"type": "policy_rehearsal", "schema_version": 1, "release_id": release_id, **told})
    sha = await asyncio.to_thread(resources.objects.put, document)
    command = Rehearse(
        release_id=release_id,
        base=composed.base.revision,
        stretches=stretches,
        away=away,
        decisions=told["decisions"],
        flipped=told["flipped"],
        sha256=sha,
        key_id=resources.signer.key_id,
        signature=resources.signer.state(STATEMENT, sha),
        rehearsed_by=call.caller.person,
    )
    return call.receipt(await call.handle(RELEASES, ALL, command, authorization))


@router.get("/policy-releases/{release_id}/rehearsal", responses=problems(NotFound))
async def rehearsal(release_id: str, call: Annotated[Call, governed("registry.policy_release.read")]) -> dict[str, Any]:
    """The newest difference of a release: who would be answered otherwise, and by which rule."""
    await call.authorize(Object(type="policy_release", id=release_id))
    known = await _known(call, release_id)
    if not known["rehearsal"]:
        raise NotFound(f"{release_id} was not rehearsed")
    data = await asyncio.to_thread(call.resources.objects.get, known["rehearsal"])
    found: dict[str, Any] = msgspec.json.decode(data)
    return found


@router.post(
    "/policy-releases/{release_id}/publication",
    status_code=201,
    response_model=Receipt,
    responses=problems(ReleaseUnknown, ReleaseOutdated, NotRehearsed, SelfPublication),
)
async def publish(
    release_id: str, body: PublicationIn, call: Annotated[Call, governed("registry.policy_release.publish")]
) -> Response:
    """A second person puts the draft into force; the engine has it a moment later."""
    state, composed = await _here(call)
    drafted = _open(state, release_id).drafted
    paths = composing.touched(composed.changes, composing.values(drafted.changes))
    authorization = await call.authorize(
        Object(type="policy_release", id=release_id), facts={"author": drafted.author, "paths": paths}
    )
    command = Publish(
        release_id=release_id,
        base=composed.base.revision,
        rehearsal=body.rehearsal,
        published_by=call.caller.person,
    )
    return call.receipt(await call.handle(RELEASES, ALL, command, authorization))


@router.post(
    "/policy-releases/{release_id}/withdrawal",
    status_code=201,
    response_model=Receipt,
    responses=problems(ReleaseUnknown),
)
async def withdraw(
    release_id: str, body: WithdrawalIn, call: Annotated[Call, governed("registry.policy_release.withdraw")]
) -> Response:
    state = (await call.load(RELEASES, ALL)).state
    author = _open(state, release_id).drafted.author
    authorization = await call.authorize(Object(type="policy_release", id=release_id), facts={"author": author})
    command = Withdraw(release_id=release_id, reason=body.reason, withdrawn_by=call.caller.person)
    return call.receipt(await call.handle(RELEASES, ALL, command, authorization))


async def _here(call: Call) -> tuple[Releases, composing.Composed]:
    """The releases as facts tell them, and the policy that follows from them and from what is installed."""
    state = (await call.load(RELEASES, ALL)).state
    return state, await asyncio.to_thread(composing.compose, call.resources.rooms, state)


def _open(state: Releases, release_id: str) -> Open:
    if release_id not in state.open:
        raise ReleaseUnknown(f"{release_id} is no open draft")
    return state.open[release_id]


async def _known(call: Call, release_id: str) -> dict[str, Any]:
    found = await views.one(call.views, release_id)
    if found is None:
        raise NotFound(f"there is no release {release_id}")
    return found
