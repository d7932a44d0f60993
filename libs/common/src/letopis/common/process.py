"""A service's process: `python -m letopis.<service> all | api | worker | jobs | migrate | rebuild VIEW`."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fastapi import FastAPI

from letopis.common import faults
from letopis.common.errors import LetopisError
from letopis.common.following import News
from letopis.common.projecting import View
from letopis.common.projecting.command import OPTIONS
from letopis.common.settings import ServiceSettings
from letopis.common.workshop import Workshop

if TYPE_CHECKING:
    from letopis.common.jobs import Broker, Jobs

S = TypeVar("S", bound=ServiceSettings)

USAGE = (
    f"usage: python -m letopis.{{name}} all | api | worker | jobs | migrate | rebuild VIEW {OPTIONS}"
    " | retire LEDGER NUMBER CHECKPOINT_FILE"
)


@dataclass(frozen=True, kw_only=True)
class Process(Generic[S]):
    """What a service is made of.

    `owns` lists its ledgers, `follows` those of others with the service that owns each. `fit` adds what is special
    to the service to its workshop (reactions, relays of telemetry) once its resources are open. `declare` registers
    its jobs, for the reactions that enqueue them and for the process that runs them.
    """

    name: str
    settings: Callable[[], S]
    create_app: Callable[[S, Callable[[str, int], None]], FastAPI]
    owns: Sequence[str]
    views: tuple[type[View], ...]
    follows: Mapping[str, str]
    telemetry: frozenset[str] = frozenset()
    fit: Callable[[Workshop, Any], None] | None = None
    declare: Callable[["Jobs", S], None] | None = None


def main(process: Process[Any], arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the process's exit status."""
    match list(sys.argv[1:] if arguments is None else arguments):
        case ["all"]:
            return _run(process, api=True, worker=True)
        case ["api"]:
            return _run(process, api=True, worker=False)
        case ["worker"]:
            return _run(process, api=False, worker=True)
        case ["jobs"] if process.declare is not None:
            work_jobs(process.name, [process])
            return 0
        case ["migrate"]:
            migrate(process.name, process.settings())
            return 0
        case ["rebuild", view, *options]:
            return asyncio.run(_rebuild(process, view, options))
        case ["retire", ledger, number, checkpoint] if number.isascii() and number.isdigit():
            return _retire(process, ledger, int(number), Path(checkpoint))
        case _:
            print(USAGE.format(name=process.name), file=sys.stderr)  # noqa: T201 a command line answers
            return 2


def migrate(name: str, settings: ServiceSettings) -> None:
    """Bring the service's database to its newest shape, as its owner."""
    from letopis.common.migrating import upgrade

    upgrade(name, settings.owner_url, settings.database_url, settings.projector_url)


def _run(process: Process[Any], *, api: bool, worker: bool) -> int:
    from letopis.common.http.serving import run

    settings, news = process.settings(), News()
    faults.arm(settings.faults)
    app = process.create_app(settings, news.heard)

    def parts(app: FastAPI) -> Any:
        workshop = Workshop.of(process.name, settings, news, app.state.metrics, process.owns, process.follows)
        if not worker:
            for ledger in process.owns:
                workshop.hint(ledger)
            return workshop
        for ledger in process.owns:
            workshop.relay(ledger, telemetry=ledger in process.telemetry)
        workshop.partition()
        workshop.replay()
        for view in process.views:
            workshop.project(view)
        if process.declare is not None:
            from letopis.common.jobs import make_broker

            workshop.employ(_registered(process, settings, make_broker(settings.valkey_url)))
        if process.fit is not None:
            process.fit(workshop, app.state.resources)
        return workshop

    run(process.name, app, settings, api=api, parts=parts)
    return 0


def work_jobs(name: str, processes: Sequence[Process[Any]], started: Callable[[], None] = lambda: None) -> None:
    """Run the jobs of these services, all of which declare some, in one worker until SIGTERM or SIGINT."""
    from letopis.common import observability
    from letopis.common.jobs import make_broker, run

    observability.configure(name)
    settings = [one.settings() for one in processes]
    broker = make_broker(settings[0].valkey_url)
    for process, its in zip(processes, settings, strict=True):
        _registered(process, its, broker)
    run(broker, started)


def _registered(process: Process[Any], settings: ServiceSettings, broker: "Broker") -> "Jobs":
    from letopis.common.jobs import Jobs

    jobs = Jobs(broker, process.name)
    if process.declare is not None:
        process.declare(jobs, settings)
    return jobs


async def _rebuild(process: Process[Any], name: str, options: Sequence[str]) -> int:
    from letopis.common.observability import Metrics
    from letopis.common.projecting.command import carry_out, wish
    from letopis.common.projecting.rebuild import named

    settings = process.settings()
    faults.arm(settings.faults)
    workshop = Workshop.of(process.name, settings, News(), Metrics(process.name), process.owns, process.follows)
    try:
        view, wished = named(process.views, name), wish(options)
        reports = settings.state_dir / "rebuilds"
        told = await carry_out(view, wished, workshop.sources(view), workshop.projector_engine, reports)
    except LetopisError as error:
        notes = getattr(error, "__notes__", ())
        print(error.detail, *notes, sep="; ", file=sys.stderr)  # noqa: T201 a command line answers
        return 1
    finally:
        await workshop.close()
    print(told)  # noqa: T201 a command line answers
    return 0


def _retire(process: Process[Any], ledger: str, number: int, checkpoint: Path) -> int:
    from letopis.common.eventstore.retiring import retire

    settings = process.settings()
    try:
        sealed = checkpoint.read_text("utf-8")
        done = asyncio.run(retire(settings.owner_url, settings.object_store_url, ledger, number, sealed))
    except (LetopisError, OSError) as error:
        print(getattr(error, "detail", error), file=sys.stderr)  # noqa: T201 a command line answers
        return 1
    print(  # noqa: T201 a command line answers
        f"{ledger}/{done.first:,} to {done.last:,} are in the archive, manifest {done.manifest};"
        f" once the object store is backed up, DROP TABLE {done.table} gives the disk back"
    )
    return 0
