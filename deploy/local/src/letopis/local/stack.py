"""`letopis up` whole: plan, secrets, parts, supervision, and what is told about it."""

import os
from collections.abc import Callable
from pathlib import Path

from letopis.common.errors import LetopisError
from letopis.local import control, signpost
from letopis.local.control import PartStatus, StackStatus
from letopis.local.environment import open_secrets
from letopis.local.forking import warm_up
from letopis.local.parts import parts_of
from letopis.local.plan import Plan
from letopis.local.supervisor import Supervisor

LIMIT = 90.0


def run(plan: Plan, told: Callable[[StackStatus], None]) -> None:
    """Run a stack until asked to stop; calls `told` once when it is ready.

    Raises AlreadyRunning if another supervisor holds the data directory, PartError if a part does not start;
    in every case nothing is left running.
    """
    with control.Lock(plan.data):
        _rotate_logs(plan)
        signpost.put_up(plan)
        warm_up(f"letopis.{service.name}" for service in plan.services)
        supervisor = Supervisor(
            parts=parts_of(plan, open_secrets(plan)),
            changed=lambda supervisor: control.publish(plan.data, describe(plan, supervisor)),
        )
        supervisor.listen()
        failure = ""
        try:
            supervisor.bring_up(LIMIT)
            if not supervisor.stopping:
                told(describe(plan, supervisor))
                supervisor.run()
        except LetopisError as error:
            failure = error.detail
            raise
        finally:
            supervisor.stop()
            control.publish(plan.data, describe(plan, supervisor, failure))


def describe(plan: Plan, supervisor: Supervisor, failure: str = "") -> StackStatus:
    """The supervisor's knowledge as a table, with the parts that run elsewhere."""
    own = [
        PartStatus(
            name=child.part.name,
            version=child.part.version,
            address=child.part.address,
            state=child.state.value,
            pid=child.pid,
            restarts=child.restarts,
            note=child.note,
        )
        for child in supervisor.children.values()
    ]
    given = [
        PartStatus(name=name, version="", address=_without_password(url), state="given")
        for name, url in plan.given.items()
    ]
    return StackStatus(
        pid=os.getpid(),
        profile=plan.profile,
        base_port=plan.base_port,
        console=plan.address("console"),
        ready=supervisor.ready and not supervisor.stopping,
        parts=(*own, *given),
        failure=failure,
    )


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _rotate_logs(plan: Plan, largest: int = 16 << 20) -> None:
    """Keep one earlier log of a part once it has grown large."""
    for log in Path(plan.folder("logs")).glob("*.log"):
        if log.stat().st_size > largest:
            log.rename(log.with_suffix(".log.1"))
