"""A worker to be killed: appends as fast as it can and prints the id of each decision it may answer for."""

import asyncio
import os
import sys
from pathlib import Path

from letopis.common.envelope import Actor, Meta, NewFact
from letopis.common.ids import uuid7
from letopis.inference.decision.journal import Journal, Limits
from letopis.inference.decision.recovery import recover


async def main() -> None:
    root, durability = Path(sys.argv[1]), sys.argv[2]
    left = recover(root)
    journal = Journal(root, durability=durability, limits=Limits(segment_bytes=16384, disk_share=1.1))  # type: ignore[arg-type]
    await journal.open(left[-1].previous() if left else None, Meta(actor=Actor(service="inference")))

    async def client() -> None:
        while True:
            fact = NewFact(
                event_id=uuid7(),
                type="decisions.decision.made",
                schema_version=1,
                salt=os.urandom(16),
                data=os.urandom(200),
                meta=b"{}",
            )
            await journal.append([fact])
            os.write(1, f"{fact.event_id}\n".encode())

    await asyncio.gather(*(client() for _ in range(8)))


asyncio.run(main())
