"""What was approved or opened enters production: makes good a crash between the last consent and the entry."""

from dataclasses import dataclass
from uuid import uuid5

from letopis.common.envelope import Actor, Meta
from letopis.common.handling import Desk
from letopis.common.projecting import Told
from letopis.common.reacting import Reaction
from letopis.registry.break_glass.events import FACTS as BREAK_GLASS
from letopis.registry.break_glass.events import BreakGlassOpened
from letopis.registry.production.decider import PRODUCTION, EnterProduction
from letopis.registry.promotion.events import FACTS, PromotionCompleted

NAME = "enter_when_completed"


@dataclass(frozen=True, slots=True)
class EnterWhenCompleted:
    """The decider says nothing twice for one promotion, so the usual way and this one do not disturb each other."""

    desk: Desk

    async def __call__(self, told: Told) -> None:
        fact = told.fact
        match fact:
            case PromotionCompleted(promotion_id=brought_by) | BreakGlassOpened(break_glass_id=brought_by):
                pass
            case _:
                return
        command = EnterProduction(
            model_id=fact.model_id,
            version_id=fact.version_id,
            version_digest=fact.version_digest,
            promotion_id=brought_by,
        )
        meta = Meta(
            actor=Actor(service="registry"),
            correlation_id=told.meta.correlation_id,
            causation_id=str(told.record.event_id),
            authorization=told.meta.authorization,
        )
        await self.desk.handle(PRODUCTION, fact.model_id, command, meta, uuid5(told.record.event_id, NAME))

    def reaction(self) -> Reaction:
        return Reaction(name=NAME, sources={"registry": FACTS | BREAK_GLASS}, react=self)
