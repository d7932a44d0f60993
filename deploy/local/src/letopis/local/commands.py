"""The commands of the embedded stack: up, down, status, logs, doctor; those of its rooms are listed below."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from letopis.common.errors import LetopisError
from letopis.local import control
from letopis.local.backup.commands import backup, refill, restore
from letopis.local.certifying import certificates
from letopis.local.control import AlreadyRunning, PartStatus, StackStatus
from letopis.local.plan import Plan, Profile, chosen_services, given_parts, make_plan, remembered_base
from letopis.local.probe import ask
from letopis.local.size.commands import size
from letopis.local.topology import SERVICES, stream_of

app = App(name="local", help="The embedded stack on this machine.")
for _command in (backup, restore, refill, size, certificates):
    app.command(_command)
DataDirectory = Annotated[Path, Parameter(env_var="LETOPIS_DATA_DIR", help="Where everything is kept.")]
DEFAULT_DATA = Path(".letopis")
GLYPHS = {"ready": "[green]ready[/]", "done": "[green]done[/]", "given": "given", "stopped": "[dim]stopped[/]"}


@app.command
def up(
    *,
    data_dir: DataDirectory = DEFAULT_DATA,
    profile: Annotated[Profile, Parameter(env_var="LETOPIS_PROFILE")] = "local",
    base_port: Annotated[int | None, Parameter(name=["--port-base", "--base-port"])] = None,
    services: str | None = None,
    mlflow: bool = True,
    detach: bool = False,
) -> int:
    """Start the stack and keep it running until Ctrl-C or `letopis down`.

    Parameters
    ----------
    data_dir
        Everything is kept below this directory; two directories are two stacks.
    profile
        `demo` adds people who may log in without a password; `local` does not.
    base_port
        First of the twelve ports on loopback; remembered. Without it the first free block from 8400 on.
    services
        Only these, separated by commas, or `none`; without it all that are installed.
    mlflow
        `--no-mlflow` leaves the MLflow tracking server out.
    detach
        Return when the stack is ready and leave it running.
    """
    data = data_dir.absolute()
    # Without compiled bytecode every start takes three times as long.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    try:
        if control.running(data):
            return _tell_running(data)
        plan = make_plan(data, profile=profile, base_port=base_port, mlflow=mlflow, services=chosen_services(services))
        return _detached(plan) if detach else _attached(plan)
    except AlreadyRunning:
        return _tell_running(data)
    except LetopisError as error:
        _err().print(f"[red]{error.title}[/]: {error.detail}", highlight=False)
        return 1
    except KeyboardInterrupt:
        # Before the supervisor listens; what had started dies with us.
        return 130


@app.command
def down(*, data_dir: DataDirectory = DEFAULT_DATA) -> int:
    """Stop the stack of a data directory; what it has recorded stays."""
    try:
        stopped = control.stop(data_dir.absolute())
    except LetopisError as error:
        _err().print(error.detail, highlight=False)
        return 1
    _out().print("stopped" if stopped else f"nothing is running over {data_dir.absolute()}")
    return 0


@app.command
def status(*, data_dir: DataDirectory = DEFAULT_DATA) -> int:
    """Show every part: version, address, state. The exit code is 0 if all work, 3 if nothing runs."""
    data = data_dir.absolute()
    told = control.read_status(data)
    if told is None or not control.running(data):
        _out().print(f"nothing is running over {data}")
        return 3
    parts = tuple(_asked(part) for part in told.parts)
    show(replace(told, parts=parts))
    return 0 if told.ready and parts == told.parts else 1


@app.command
def logs(part: str = "", /, *, data_dir: DataDirectory = DEFAULT_DATA, lines: int = 40, follow: bool = False) -> int:
    """Print the end of a part's log (or of every part's), with --follow as it grows."""
    folder = data_dir.absolute() / "logs"
    found = sorted(folder.glob(f"{part or '*'}.log"))
    if not found:
        known = ", ".join(path.stem for path in sorted(folder.glob("*.log"))) or "none yet"
        _err().print(f"there is no log {part!r} under {folder} (there are: {known})")
        return 1
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, found)]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


@app.command
def run(
    service: str,
    /,
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True)],
    data_dir: DataDirectory = DEFAULT_DATA,
) -> int:
    """Run a service's own command with the settings it has here: `letopis run registry rebuild promotion_summary`."""
    data = data_dir.absolute()
    told, base = control.read_status(data), remembered_base(data)
    if told is None or base is None:
        _err().print(f"no stack was ever started over {data}; `letopis up` starts one", highlight=False)
        return 3
    try:
        (chosen,) = chosen_services(service)
    except LetopisError as error:
        _err().print(f"[red]{error.title}[/]: {error.detail}", highlight=False)
        return 1
    from letopis.local.environment import of_service_process, open_secrets

    plan = Plan(
        data=data,
        profile=told.profile,
        base_port=base,
        services=(chosen,),
        given=given_parts(),
        mlflow=False,
    )
    environment = os.environ | of_service_process(plan, open_secrets(plan), chosen)
    return subprocess.run(
        [sys.executable, "-m", f"letopis.{service}", *arguments], env=environment, check=False
    ).returncode


@app.command
def subscriber(
    name: str,
    /,
    *,
    ledger: Annotated[list[str], Parameter(help="A ledger it follows; give it again for more.")],
    data_dir: DataDirectory = DEFAULT_DATA,
) -> int:
    """Let an outside system follow ledgers over NATS: a key, durables and a client secret of its own."""
    data = data_dir.absolute()
    told, base = control.read_status(data), remembered_base(data)
    if told is None or base is None:
        _err().print(f"no stack was ever started over {data}; `letopis up` starts one", highlight=False)
        return 3
    from letopis.local.nats import subscribers
    from letopis.local.subscribing import admit

    try:
        made = subscribers.add(data, name, ledger)
        admit(data, told, base)
    except LetopisError as error:
        _err().print(f"[red]{error.title}[/]: {error.detail}", highlight=False)
        return 1
    for one in made.follows:
        _out().print(f"durable {name}_{one} of stream {stream_of(one)}", highlight=False)
    _out().print(f"key {data / 'secrets' / f'{name}.nats_seed'}, inbox prefix _INBOX_{name}", highlight=False)
    return 0


@app.command
def doctor(*, data_dir: DataDirectory = DEFAULT_DATA, base_port: int | None = None) -> int:
    """Say beforehand what will not work here, and what to do about it."""
    from letopis.local.doctor import examine

    table = Table("", "what", "found", "do")
    findings = examine(data_dir.absolute(), base_port)
    for finding in findings:
        mark = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "bad": "[red]bad[/]"}[finding.verdict]
        table.add_row(mark, finding.subject, finding.found, finding.remedy)
    _out().print(table)
    return int(any(finding.verdict == "bad" for finding in findings))


def show(told: StackStatus) -> None:
    """One table and the console's address."""
    table = Table("part", "version", "address", "state")
    for part in told.parts:
        state = GLYPHS.get(part.state, f"[yellow]{part.state}[/]")
        again = f", restarted {part.restarts} times ({part.note})" if part.restarts else ""
        table.add_row(part.name, part.version, part.address, state + again)
    _out().print(table)
    _out().print(f"console {told.console}   profile {told.profile}", highlight=False)


def _asked(part: PartStatus) -> PartStatus:
    """A service that ran when last looked at, asked whether it can serve now."""
    if part.state != "ready" or part.name not in {service.name for service in SERVICES}:
        return part
    code, body = ask(f"{part.address}/readyz")
    if code == 200:
        return part
    away = ", ".join(name for name, well in body["needs"].items() if not well) if body else "it does not answer"
    return replace(part, state=f"not ready: {away}")


def _attached(plan: Plan) -> int:
    from letopis.local import stack

    started = time.monotonic()

    def told(status: StackStatus) -> None:
        show(status)
        _out().print(f"ready after {time.monotonic() - started:.1f} s; Ctrl-C or `letopis down` stops everything")

    stack.run(plan, told)
    _out().print("stopped")
    return 0


def _detached(plan: Plan) -> int:
    """Another process supervises, in a session of its own; this one waits until it is ready."""
    flags = ["--data-dir", str(plan.data), "--profile", plan.profile, "--port-base", str(plan.base_port)]
    flags += ["--services", ",".join(service.name for service in plan.services) or "none"]
    flags += [] if plan.mlflow else ["--no-mlflow"]
    log = plan.log("supervisor")
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "letopis.local", "up", *flags],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while supervisor.poll() is None:
        told = control.read_status(plan.data)
        if told and told.pid == supervisor.pid and told.ready:
            show(told)
            # It outlives us on purpose; without this Python would warn that it still runs.
            supervisor.returncode = 0
            return 0
        time.sleep(0.05)
    told = control.read_status(plan.data)
    if told and told.pid == supervisor.pid and told.failure:
        _err().print(f"the stack did not start: {told.failure}", highlight=False, markup=False)
    else:
        from letopis.local.child import tail

        _err().print(f"the stack did not start; the end of {log}:\n{tail(log)}", highlight=False, markup=False)
    return 1


def _tell_running(data: Path) -> int:
    told = control.read_status(data)
    if told is None or not told.ready:
        _out().print(f"a stack over {data} is starting; see `letopis status`")
        return 0
    _out().print(f"already running (process {told.pid}):", highlight=False)
    show(told)
    return 0


def _out() -> Console:
    return Console(width=None if sys.stdout.isatty() else 120)


def _err() -> Console:
    return Console(stderr=True, width=None if sys.stderr.isatty() else 120)
