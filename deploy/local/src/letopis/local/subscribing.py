"""Letting a new subscriber into a stack that runs."""

from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.local import control
from letopis.local.control import StackStatus
from letopis.local.environment import nats_users, open_secrets
from letopis.local.nats import server, subscribers
from letopis.local.plan import LOOPBACK, Plan, given_parts


class NatsElsewhere(LetopisError):
    """The bank's own NATS has its own administrator."""

    code = "local.nats_elsewhere"
    title = "NATS is not run by this stack; its administrator adds users and durables there"


def admit(data: Path, told: StackStatus, base: int) -> None:
    """Write the users of NATS anew and tell the server; the keeper of streams makes the durables within seconds."""
    plan = Plan(data=data, profile=told.profile, base_port=base, services=(), given=given_parts(), mlflow=False)
    if not plan.runs("nats"):
        raise NatsElsewhere
    users = nats_users(plan, open_secrets(plan))
    server.configure(plan.folder("nats"), LOOPBACK, plan.port("nats"), users)
    running = next((part for part in told.parts if part.name == "nats" and part.pid), None)
    if running is not None and control.running(data):
        subscribers.reload(running.pid)
