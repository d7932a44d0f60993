"""A model's production moved: its deployments follow, or say why they could not."""

import logging
from dataclasses import dataclass
from uuid import UUID, uuid5

from letopis.common.clock import Clock
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import LetopisError, Unavailable
from letopis.common.handling import Desk
from letopis.common.projecting import Told, ViewReader
from letopis.inference.deployment.decider import DEPLOYMENT, Active, NoteLoadFailure, Replace
from letopis.inference.deployment.views import KnownVersion, candidate
from letopis.inference.scoring.serving import Serving
from letopis.registry.contract import ProductionEntered, ProductionRolledBack

NAME = "follow_production"
PATIENCE = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FollowProduction:
    """Reacts to the registry's production facts; told again, it does nothing twice."""

    desk: Desk
    views: ViewReader
    serving: Serving
    clock: Clock

    async def __call__(self, told: Told) -> None:
        match told.fact:
            case ProductionEntered(model_id=model_id, version_id=version_id):
                await self._follow(told, model_id, version_id, "entered")
            case ProductionRolledBack(model_id=model_id, to_version_id=version_id):
                await self._follow(told, model_id, version_id, "rolled_back")
            case _:
                return

    async def _follow(self, told: Told, model_id: str, version_id: str, cause: str) -> None:
        await self.serving.catch_up()
        followers = [one for one in self.serving.actives() if one.model_id == model_id and one.follows == "production"]
        if not followers:
            return
        # The view must have heard what led here before it is asked about the version.
        await self.views.wait(KnownVersion, {"registry": told.record.position}, PATIENCE)
        for active in followers:
            if active.version_id != version_id:
                await self._replace(told, active, version_id, cause)
        await self.serving.catch_up()

    async def _replace(self, told: Told, active: Active, version_id: str, cause: str) -> None:
        found = await candidate(self.views, version_id)
        moment, command_id = self.clock.now(), uuid5(told.record.event_id, f"{NAME}:{active.deployment_id}")
        meta = Meta(
            actor=Actor(service="inference"),
            correlation_id=told.meta.correlation_id,
            causation_id=str(told.record.event_id),
        )
        command: Replace | NoteLoadFailure
        try:
            servable = await self.serving.prepared(version_id)
        except Unavailable:
            # Nothing is wrong with the version; the reaction is told again.
            raise
        except LetopisError as error:
            _log.exception("version cannot take over", extra={"version": version_id, "code": error.code})
            command = NoteLoadFailure(version_id=version_id, code=error.code, detail=error.detail, at=moment)
        else:
            command = Replace(
                version_id=version_id,
                version_digest=servable.bundle.digest,
                promotion=found.promotion if found is not None else None,
                cause="rolled_back" if cause == "rolled_back" else "entered",
                cause_id=str(told.record.event_id),
                at=moment,
            )
        await self._command(active, command, meta, command_id)

    async def _command(self, active: Active, command: Replace | NoteLoadFailure, meta: Meta, command_id: UUID) -> None:
        await self.desk.handle(DEPLOYMENT, active.deployment_id, command, meta, command_id)
