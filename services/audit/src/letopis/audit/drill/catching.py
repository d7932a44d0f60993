"""Looks in the chronicle's copies for the fact by which a control shows that it caught an injection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from letopis.audit.claim.facts import Fact, holds
from letopis.audit.drill.events import Catch
from letopis.audit.drill.plan import Injection
from letopis.audit.log.copy import CopyStore
from letopis.common.envelope import record_to_json


@dataclass(frozen=True, slots=True)
class Catching:
    """Reads copies only: what was not copied was not caught in time."""

    copies: CopyStore

    async def catches(self, plan: tuple[Injection, ...], injected: Mapping[str, datetime]) -> tuple[Catch, ...]:
        """What caught each injection, the first fact that fits within its time."""
        return tuple([await self._catch(one, injected[one.id]) for one in plan])

    async def _catch(self, one: Injection, at: datetime) -> Catch:
        ledger = one.expects.fact.partition(".")[0]
        condition = "type = %s AND recorded_at >= %s AND recorded_at <= %s"
        until = at + timedelta(seconds=one.within)
        records = await self.copies.select(condition, ledger, one.expects.fact, at, until)
        for record in records:
            fact = Fact(record_to_json(record))
            if all(holds(test, fact, None) for test in one.expects.where):
                return Catch(
                    injection=one.id,
                    injected_at=at,
                    caught=True,
                    place=f"{record.ledger}/{record.position}",
                    event_id=str(record.event_id),
                    seconds=(record.recorded_at - at).total_seconds(),
                )
        return Catch(injection=one.id, injected_at=at, caught=False, place="", event_id="", seconds=None)
