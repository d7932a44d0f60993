"""A bus that lies: messages come twice, in any order, and some not at all."""

import copy
import random
from typing import Any

from e2e.chaos.place import Notebook, Place
from nats.aio.msg import Msg
from nats.js import JetStreamContext


def mangle(place: Place) -> None:
    """From now on every fetch of this process tells old messages again, mixes their order and loses some."""
    rng = random.Random(place.seed)
    told, notes = [], Notebook(place.notes("lies"))
    honest: Any = JetStreamContext.PullSubscription.fetch

    async def fetch(subscription: Any, *arguments: Any, **options: Any) -> list[Msg]:
        found: list[Msg] = await honest(subscription, *arguments, **options)
        # The reader drops what it has read of a message, so a lie needs its own copy.
        told.extend(copy.copy(one) for one in found)
        del told[:-200]
        kept = [one for one in found if rng.random() > 0.2]
        doubles = [copy.copy(rng.choice(told)) for _ in range(rng.randrange(4))]
        mixed = kept + [one for one in doubles if one.subject.split(".")[1] == found[0].subject.split(".")[1]]
        rng.shuffle(mixed)
        notes.write(lost=len(found) - len(kept), doubled=len(mixed) - len(kept), mixed=mixed != found)
        return mixed

    JetStreamContext.PullSubscription.fetch = fetch
