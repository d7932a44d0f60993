"""What answers now: deployments as their facts tell them, each with its loaded version.

Folded in memory from the inference ledger, so that scoring goes on while PostgreSQL is away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from letopis.common.envelope import Record
from letopis.common.errors import LetopisError, NotFound, Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.following import News
from letopis.inference.deployment.decider import DEPLOYMENT, Active, Deployment
from letopis.inference.scoring.servable import Servable

LEDGER = "inference"
PAGE = 1000
PAUSE = 0.5
_log = logging.getLogger(__name__)


class NotLoaded(Unavailable):
    """A version is deployed and could not be loaded here."""

    code = "scoring.not_loaded"
    title = "The deployed version is not loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An active deployment and what answers for it."""

    active: Active
    servable: Servable


@dataclass(slots=True)
class Serving:
    """All active deployments of this process.

    `loader` verifies and loads a version; `changed` hears of every deployment whose facts changed, so that leases
    taken under the old facts end; `hearers` are told every record in order.
    """

    store: EventStore
    loader: Callable[[str], Awaitable[Servable]]
    news: News
    changed: Callable[[str, str], None] = lambda _application, _api_version: None
    position: int = 0
    served: int = 0
    ready: bool = False
    states: dict[str, Deployment] = field(default_factory=dict)
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    problems: dict[tuple[str, str], str] = field(default_factory=dict)
    hearers: list[Callable[[Record], None]] = field(default_factory=list)
    _loaded: dict[str, Servable] = field(default_factory=dict)
    _unsettled: set[str] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    def find(self, application: str, api_version: str) -> Target:
        """What answers; NotFound if nothing is deployed there, NotLoaded if it could not be loaded."""
        key = (application, api_version)
        target = self.targets.get(key)
        if target is None:
            if not self.ready:
                raise NotLoaded("the deployments have not been read yet; the database may be away")
            if key in self.problems:
                raise NotLoaded(self.problems[key])
            raise NotFound(f"nothing is deployed as {application}/{api_version}; see GET /v1/applications")
        return target

    def actives(self) -> list[Active]:
        """Active deployments, loaded or not."""
        return [state for state in self.states.values() if isinstance(state, Active)]

    async def prepared(self, version_id: str) -> Servable:
        """The version verified and loaded, kept for when a deployment needs it; a Refused says what is wrong."""
        servable = self._loaded.get(version_id)
        if servable is None:
            servable = await self.loader(version_id)
            self._loaded[version_id] = servable
        return servable

    async def catch_up(self) -> None:
        """Fold what the ledger has beyond our position, then load what is deployed now."""
        async with self._turn:
            while records := await self.store.read(LEDGER, self.position, PAGE):
                for record in records:
                    self._unsettled |= self._fold(record)
                    for told in self.hearers:
                        told(record)
                self.position = records[-1].position
            for stream_id in sorted(self._unsettled):
                await self._settle(stream_id)
            self.ready, self.served = True, self.position
        async with self._moved:
            self._moved.notify_all()

    async def reached(self, position: int) -> None:
        """Wait until a position of the ledger is served."""
        self.news.heard(LEDGER, position)
        async with self._moved:
            await self._moved.wait_for(lambda: self.served >= position)

    async def run(self) -> None:
        """Follow the ledger for ever; away is away, what is loaded goes on answering."""
        while True:
            try:
                await self.catch_up()
            except Unavailable as away:
                _log.warning("deployments cannot be followed: %s", away.detail)
            await self.news.after(LEDGER, self.position, PAUSE)

    def _fold(self, record: Record) -> set[str]:
        if not DEPLOYMENT.facts.knows(record.type):
            return set()
        stream_id = record.stream.partition(":")[2]
        fact = DEPLOYMENT.facts.decode(record.type, record.schema_version, record.data)
        before = self.states.get(stream_id, DEPLOYMENT.decider.initial)
        self.states[stream_id] = DEPLOYMENT.decider.evolve(before, fact)
        return {stream_id}

    async def _settle(self, stream_id: str) -> None:
        """Flip to the version that is deployed now; the one before answers until the new one is ready."""
        state = self.states[stream_id]
        if not isinstance(state, Active):
            self._unsettled.discard(stream_id)
            for key in [key for key, target in self.targets.items() if target.active.deployment_id == stream_id]:
                del self.targets[key]
                self.changed(*key)
            return
        key = (state.application, state.api_version)
        try:
            servable = await self.prepared(state.version_id)
        except (Unavailable, NotFound) as error:
            # Not the version's fault: tried again; what answered before goes on.
            self.problems[key] = f"{state.version_id}: {error.detail}"
            return
        except LetopisError as error:
            _log.exception("a deployed version cannot be loaded", extra={"version": state.version_id})
            self.targets.pop(key, None)
            self.problems[key] = f"{state.version_id}: {error.detail}"
            self._unsettled.discard(stream_id)
            return
        self._unsettled.discard(stream_id)
        self.problems.pop(key, None)
        self.targets[key] = Target(active=state, servable=servable)
        self.changed(*key)
