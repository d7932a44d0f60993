"""The `letopis` command: who am I, my key, my approvals, my models; other packages add theirs by entry point."""

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from letopis.common.errors import LetopisError
from letopis.sdk import approvals, keys, models, parked, policies
from letopis.sdk.client import Letopis
from letopis.sdk.login import demo_login
from letopis.sdk.problems import Forbidden, NotFound, Problem, Unavailable

GROUP = "letopis.commands"

app = App(name="letopis", help="Governance for machine learning: every act recorded, every decision explained.")
key_app = App(name="key", help="The key with which you sign approvals.")
model_app = App(name="model", help="Models and their versions.")
app.command(key_app)
app.command(model_app)
app.command(parked.app)
app.command(policies.app)


@app.command
def login(*, as_: Annotated[str, Parameter(name="--as")] = "", factor: bool = False) -> None:
    """Log in: opens no browser, but says which page to open. In a demonstration `--as NAME` is enough.

    `--factor` asks for your second factor too, as approvals of the strictest risk tier want it.
    """
    with Letopis() as client:
        if as_:
            _out().print(f"you are {demo_login(client.provider, client.logins, as_)}")
            return
        device = client.provider.begin_device(factor=factor)
        _out().print(f"open {device.url}\nand check that it shows the code {device.user_code}", highlight=False)
        answer = client.provider.wait_device(device)
        who = str(client.provider.userinfo(answer["access_token"])["sub"])
        client.logins.keep(who, answer)
        _out().print(f"you are {who}")


@app.command
def logout() -> None:
    """Forget the tokens of the current login on this machine."""
    with Letopis() as client:
        who = client.login
        client.logins.forget(who)
        _out().print(f"{who} is logged out here")


@app.command
def whoami() -> None:
    """Show the current login, and what the registry's facts say of it."""
    with Letopis() as client:
        told = client.provider.userinfo(client.token())
        table = Table(show_header=False, box=None)
        table.add_row("login", told["sub"])
        table.add_row("name", str(told.get("name", "")))
        table.add_row("issuer", client.places.of("issuer"))
        try:
            known = client.registry.get(f"/v1/principals/{client.login}")
        except (Forbidden, NotFound):
            table.add_row("registry", "not registered; ask an administrator")
        except Unavailable as away:
            table.add_row("registry", away.title)
        else:
            table.add_row("person", known["person"])
            table.add_row("roles", ", ".join(known["roles"]) or "none")
            table.add_row("groups", ", ".join(known["groups"]) or "none")
            table.add_row("keys", ", ".join(one["key_id"] for one in known["keys"]) or "none; letopis key enroll")
        _out().print(table)


@key_app.command
def enroll(*, new: bool = False) -> None:
    """Make an Ed25519 key on this machine (0600) and enroll its public half; --new replaces the one before."""
    with Letopis() as client:
        key = keys.enroll(client, new=new)
        _out().print(f"key {key.key_id} is enrolled; its private half lies in {keys.key_path(client)}", highlight=False)


@app.command
def approve(
    promotion: str, /, *, comment: str = "", yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False
) -> int:
    """Read a promotion's exact digests, sign them with your key, and approve it."""
    return _decide(promotion, "approve", comment, yes=yes)


@app.command
def reject(promotion: str, /, *, comment: str, yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False) -> int:
    """Reject a promotion over your signature, with a comment that says why."""
    return _decide(promotion, "reject", comment, yes=yes)


@model_app.command(name="register")
def register_model(folder: Path, /) -> None:
    """Register a folder of `manifest.json` and artifacts as a new version."""
    with Letopis() as client:
        _out().print(str(models.register_folder(folder, client)), highlight=False)


@app.command
def preview(version: str, /) -> int:
    """List what a version lacks for production; the exit code is 0 if nothing."""
    with Letopis() as client:
        told = models.preview(client, version)
    table = Table("part", "state", "why it is asked for")
    for part in told["parts"]:
        table.add_row(part["name"], "[green]there[/]" if part["present"] else "[red]missing[/]", part["reason"])
    for one in told["unpinned"]:
        table.add_row(one, "[red]not exact[/]", "the environment can be built again")
    for kind in told["evidence_required"]:
        lacking = kind in told["evidence_missing"]
        table.add_row(f"evidence {kind}", "[red]missing[/]" if lacking else "[green]passed[/]", f"tier {told['tier']}")
    table.add_row("use case", told["use_case"], "a model exists for an approved purpose")
    _out().print(table)
    _out().print("ready for production" if told["ready"] else f"not ready: {', '.join(told['missing'])}")
    return 0 if told["ready"] else 1


def main() -> None:
    """Run the command; problems are told in words, with the remedy, and end with exit code 1."""
    for point in entry_points(group=GROUP):
        try:
            app.update(point.load())
        except ImportError as error:
            # An extra that is not installed leaves its commands out; everything else works.
            if len(sys.argv) > 1 and sys.argv[1] == "doctor":
                _err().print(f"commands of {point.name} are not here: {error}")
    try:
        app(sys.argv[1:])
    except Problem as problem:
        _err().print(problem.told(), style="red", markup=False, highlight=False)
        sys.exit(1)
    except LetopisError as error:
        _err().print(f"{error.title}\n  {error.detail}", style="red", markup=False, highlight=False)
        sys.exit(1)


def _decide(promotion: str, verdict: approvals.Verdict, comment: str, *, yes: bool) -> int:
    with Letopis() as client:
        statement = approvals.statement_of(client, promotion, verdict)
        table = Table(title=f"You {verdict}", show_header=False)
        for name in ("promotion", "version_digest", "environment_digest", "policy_revision", "person", "key_id"):
            table.add_row(name, str(getattr(statement, name)))
        _out().print(table)
        if not yes and _out().input(f"Sign and {verdict}? \\[y/N] ").strip().lower() not in {"y", "yes"}:
            _out().print("nothing was signed")
            return 1
        receipt = approvals.decide(client, statement, comment)
        _out().print(_outcome(receipt), highlight=False)
    return 0


def _outcome(receipt: dict[str, Any]) -> str:
    told = ", ".join(fact["type"] for fact in receipt["facts"])
    return f"recorded at {receipt['position']}: {told}"


def _out() -> Console:
    return Console()


def _err() -> Console:
    return Console(stderr=True)


if __name__ == "__main__":
    main()
