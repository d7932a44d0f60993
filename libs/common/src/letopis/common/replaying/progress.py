"""How far replays have come: a row each, for those who ask, and where the stream cannot tell any more."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from letopis.common.database import away_is_unavailable

_STAND = text("SELECT position, published FROM outbox.replay WHERE replay_id = CAST(:replay_id AS uuid)")
_MOVE = text(
    "INSERT INTO outbox.replay AS known VALUES (CAST(:replay_id AS uuid), :position, :published) "
    "ON CONFLICT (replay_id) DO UPDATE SET position = EXCLUDED.position, published = EXCLUDED.published "
    "WHERE known.position < EXCLUDED.position"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The last position gone through, and how many facts up to there were told."""

    position: int
    published: int


@dataclass(frozen=True, slots=True)
class ProgressBook:
    """`engine` is the application's."""

    engine: AsyncEngine

    async def stand(self, replay_id: str) -> Progress | None:
        async with away_is_unavailable(), self.engine.connect() as connection:
            row = (await connection.execute(_STAND, {"replay_id": replay_id})).one_or_none()
        return None if row is None else Progress(position=row.position, published=row.published)

    async def move(self, replay_id: str, position: int, published: int) -> None:
        """Only forward; a slower twin changes nothing."""
        values = {"replay_id": replay_id, "position": position, "published": published}
        async with away_is_unavailable(), self.engine.begin() as connection:
            await connection.execute(_MOVE, values)
