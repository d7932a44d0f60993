"""Asking for a replay, and how far it has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.following.moments import last_before
from letopis.common.http.bodies import Body
from letopis.common.http.calling import Call
from letopis.common.http.governing import governed
from letopis.common.http.problems import problems
from letopis.common.http.receipts import Receipt
from letopis.common.policy.verdict import Object
from letopis.common.replaying.decider import AskReplay, EmptyRange, Finished, RangeTooLarge, Running, replay
from letopis.common.replaying.progress import ProgressBook
from letopis.common.replaying.reactions import STREAM, subject

Type = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*(\.[a-z0-9_]+){2}$")]
Position = Annotated[int, Field(ge=1, lt=2**53)]


class NoSuchReplay(NotFound):
    """Nobody asked this service for it."""

    code = "replay.unknown"
    title = "There is no such replay here; each service tells only of its own ledgers"


class ReplayIn(Body):
    """Which facts: positions `first` to `last`, or those recorded from `since` until before `until`; of all `types`
    unless some are named.
    """

    subscriber: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    ledger: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    types: Annotated[list[Type], Field(max_length=100)] = []
    first: Position | None = None
    last: Position | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class ReplayOut(BaseModel):
    """`published` facts stand in `subject` of `stream`; everything up to `position` has been gone through."""

    replay_id: str
    state: Literal["running", "finished"]
    subscriber: str
    ledger: str
    types: list[str]
    first: int
    last: int
    position: int
    published: int
    stream: str
    subject: str


def replay_doors(service: str, ledgers: Sequence[str]) -> APIRouter:
    """`POST /v1/replays` and `GET /v1/replays/{id}` of its own ledgers, under actions `<service>.replay.*`."""
    router = APIRouter(prefix="/v1/replays", tags=["replay"])
    aggregate, owned = replay(service), frozenset(ledgers)

    @router.post("", status_code=201, response_model=Receipt, responses=problems(NotFound, EmptyRange, RangeTooLarge))
    async def ask_replay(body: ReplayIn, call: Annotated[Call, governed(f"{service}.replay.ask")]) -> Response:
        """Tell facts once more, to one subscriber; the receipt's `id` is the replay's."""
        object = Object(type="replay", id=body.subscriber, attributes={"ledger": body.ledger})
        authorization = await call.authorize(object)
        if body.ledger not in owned:
            raise NotFound(f"{service} owns no ledger {body.ledger}")
        first, last = await _range(call, body)
        replay_id = call.new_id()
        command = AskReplay(
            replay_id=replay_id,
            subscriber=body.subscriber,
            ledger=body.ledger,
            types=tuple(sorted(set(body.types))),
            first=first,
            last=last,
            subject=subject(body.subscriber, replay_id),
            person=call.caller.person,
        )
        return call.receipt(await call.handle(aggregate, replay_id, command, authorization))

    @router.get("/{replay_id}", responses=problems(NoSuchReplay))
    async def read_replay(replay_id: str, call: Annotated[Call, governed(f"{service}.replay.read")]) -> ReplayOut:
        await call.authorize(Object(type="replay", id=replay_id))
        state: Any = (await call.load(aggregate, replay_id)).state
        if not isinstance(state, Running | Finished):
            raise NoSuchReplay(f"{service} was not asked for a replay {replay_id}")
        asked, position, published = state.asked, state.asked.first - 1, 0
        if isinstance(state, Finished):
            position, published = asked.last, state.published
        elif (known := await ProgressBook(call.resources.store.engine).stand(replay_id)) is not None:
            position, published = known.position, known.published
        return ReplayOut(
            replay_id=replay_id,
            state="finished" if isinstance(state, Finished) else "running",
            subscriber=asked.subscriber,
            ledger=asked.ledger,
            types=list(asked.types),
            first=asked.first,
            last=asked.last,
            position=position,
            published=published,
            stream=STREAM,
            subject=asked.subject,
        )

    return router


async def _range(call: Call, body: ReplayIn) -> tuple[int, int]:
    """What was asked for as positions that exist, where positions and times both narrow it."""
    store = call.resources.store

    async def read(after: int, limit: int) -> Any:
        return await store.read(body.ledger, after, limit)

    async def before(moment: datetime) -> int:
        return await last_before(read, moment)

    first = max(body.first or 1, await before(body.since) + 1 if body.since else 1)
    last = min(body.last or 2**53, await store.head(body.ledger))
    return first, min(last, await before(body.until)) if body.until else last
