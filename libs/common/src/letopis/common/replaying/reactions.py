"""Carrying out replays, one after another: publishes the facts of the range into the subscriber's subject.

The reaction's checkpoint moves when a replay is at its end, so a process killed in the midst begins again; the last
message of the subject then says from where. Every message names the sequence that its subject must stand at, so
neither a repetition nor a twin puts a fact twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid5

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from letopis.common import faults
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import Unavailable
from letopis.common.following.source import Source
from letopis.common.handling import Desk
from letopis.common.messaging import Bus, cloudevent, largest
from letopis.common.projecting.told import Told
from letopis.common.publishing import MESSAGE_ID, Message, publish
from letopis.common.reacting import Reaction
from letopis.common.replaying.decider import FinishReplay, replay
from letopis.common.replaying.events import ReplayAsked, replay_facts
from letopis.common.replaying.progress import ProgressBook

NAME = "replay"
STREAM = "REPLAYS"
BATCH = 500


def subject(subscriber: str, replay_id: str) -> str:
    """Where one replay is told; a subscriber may read `letopis.replay.<its name>.>` and no other's."""
    return f"letopis.replay.{subscriber}.{replay_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayer:
    """`sources` are the ledgers that the service owns; `desk` is where it records that a replay is done."""

    desk: Desk
    sources: Mapping[str, Source]
    bus: Bus
    progress: ProgressBook

    async def __call__(self, told: Told) -> None:
        fact = told.fact
        if not isinstance(fact, ReplayAsked):
            return
        try:
            published = await self._tell(fact)
        except (NatsError, TimeoutError) as error:
            # Also a stream that is full: it takes more when older replays have left it.
            raise Unavailable(f"the bus does not take the replay {fact.replay_id} now") from error
        meta = Meta(
            actor=Actor(service=self.desk.ledger),
            correlation_id=told.meta.correlation_id,
            causation_id=str(told.record.event_id),
            authorization=told.meta.authorization,
        )
        command = FinishReplay(replay_id=fact.replay_id, published=published)
        await self.desk.handle(
            replay(self.desk.ledger), fact.replay_id, command, meta, uuid5(told.record.event_id, NAME)
        )

    def reaction(self) -> Reaction:
        return Reaction(name=NAME, sources={self.desk.ledger: replay_facts(self.desk.ledger)}, react=self)

    async def _tell(self, asked: ReplayAsked) -> int:
        """Publish what is left; how many facts were told in all."""
        client = await self.bus.client()
        most, wanted = largest(client.max_payload), frozenset(asked.types)
        position, published, sequence = await self._stand(asked)
        while position < asked.last:
            limit = min(BATCH, asked.last - position)
            records = await self.sources[asked.ledger].read(position, limit, sure=True)
            if not records:
                raise Unavailable(f"{asked.ledger}/{position + 1} cannot be read now")
            messages = [
                Message(
                    asked.subject,
                    f"{asked.replay_id}:{published + number}:{record.position}",
                    cloudevent(record, most=most),
                )
                for number, record in enumerate((one for one in records if not wanted or one.type in wanted), 1)
            ]
            sequence = await publish(client, messages, sequence, of_subject=True)
            faults.point("replay.published")
            position, published = records[-1].position, published + len(messages)
            await self.progress.move(asked.replay_id, position, published)
            faults.point("replay.moved")
        return published

    async def _stand(self, asked: ReplayAsked) -> tuple[int, int, int]:
        """Last position told or passed over, facts told, the subject's last sequence.

        The subject is ahead of the row by what a killed process had published and not noted.
        """
        known = await self.progress.stand(asked.replay_id)
        position, published = (known.position, known.published) if known else (asked.first - 1, 0)
        js = await self.bus.jetstream()
        try:
            last = await js.get_last_msg(STREAM, asked.subject, direct=True)
        except NotFoundError:
            return position, published, 0
        _, number, place = (last.headers or {})[MESSAGE_ID].split(":")
        if int(place) > position:
            position, published = int(place), int(number)
        return position, published, last.seq or 0
