"""The journey under faults: parts are killed between its acts, so that the next act begins while they are away."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from e2e.journey import data
from e2e.journey.story import Story, play
from e2e.journey.world import World
from e2e.stacks import Stack

ACCOUNTS = 300
STREAMS = "every stream"

# What is killed after which act: each time a part that the next act needs at once.
FAULTS: Mapping[str, str] = {
    "people": "features",
    "data": "registry",
    "champion": "inference",
    "serving": "postgres",
    data.MAY: "nats",
    data.JUNE: "monitoring",
    data.JULY: "inference",
    data.AUGUST: STREAMS,
    "september": "audit",
    "challenger": "console",
    "denied": "opa",
}


@dataclass(slots=True)
class Storm:
    """What was done to the stack, and everything that it acknowledged: event ids of receipts and of decisions."""

    stack: Stack
    world: World
    story: Story
    killed: list[tuple[str, int]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)

    def hear(self, answer: httpx.Response) -> None:
        """Keeps what an answer promises."""
        if answer.request.method == "GET" or answer.is_error:
            return
        answer.read()
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return
        told: Any = answer.json()
        if not isinstance(told, dict):
            return
        self.events += [fact["event_id"] for fact in told.get("facts", ())]
        if "decision_id" in told and "score" in told:
            self.decisions.append(told["decision_id"])

    def strike(self, act: str) -> None:
        """Kill -9 what follows this act, without waiting for what becomes of it."""
        name = FAULTS.get(act)
        if name is None:
            return
        if name == STREAMS:
            self.killed.append((name, self.stack.part("nats")["pid"]))
            self.stack.lose_streams()
            return
        pid = self.stack.part(name)["pid"]
        self.killed.append((name, pid))
        os.kill(pid, signal.SIGKILL)


def raised(stack: Stack, folder: Path) -> Storm:
    """Play the whole journey on a running stack, striking between the acts."""
    storm = Storm(stack, World.of(stack.data, ACCOUNTS, lambda who, what: None), Story())
    storm.world.http.event_hooks = {"response": [storm.hear]}
    storm.story = play(storm.world, folder, storm.strike)
    return storm
