"""`letopis parked`: facts that a service could not take; one person asks for a release, another agrees."""

from typing import Any, Literal

from cyclopts import App
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from letopis.sdk.client import Letopis
from letopis.sdk.problems import Problem

app = App(name="parked", help="Facts that a service could not take: try them again or skip them, two people together.")
SERVICES = ("registry", "features", "inference")
Way = Literal["retry", "skip"]


def look(client: Letopis) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All that is parked, each with its service's name; and the services that do not tell, with the reason."""
    found, silent = [], {}
    for name in SERVICES:
        try:
            told = getattr(client, name).get("/v1/parked")
        except Problem as problem:
            silent[name] = problem.title
        else:
            found += [one | {"service": name} for one in told["parked"]]
    return found, silent


def ask(client: Letopis, service: str, parked_id: str, way: Way, reason: str) -> dict[str, Any]:
    """Ask to retry or skip; the receipt."""
    body = {"way": way, "reason": reason}
    receipt: dict[str, Any] = getattr(client, service).post(f"/v1/parked/{parked_id}/requests", body)
    return receipt


def agree(client: Letopis, service: str, parked_id: str, way: Way) -> dict[str, Any]:
    """Agree to what another person asked; the receipt."""
    receipt: dict[str, Any] = getattr(client, service).post(f"/v1/parked/{parked_id}/agreements", {"way": way})
    return receipt


@app.command(name="list")
def list_parked() -> None:
    """Show what is parked, why, what waits behind it, and who asked for what."""
    with Letopis() as client:
        found, silent = look(client)
    table = Table("service", "id", "fact", "why", "behind it", "asked")
    for one in found:
        asked = one["asked"]
        table.add_row(
            one["service"],
            one["parked_id"],
            one["type"],
            escape(one["error"]),
            str(one["waiting"]),
            escape(f"{asked['person']}: {asked['way']}, {asked['reason']}") if asked else "",
        )
    for name, problem in silent.items():
        _out().print(f"{name} does not tell: {problem}", style="red", markup=False, highlight=False)
    _out().print(table if found else "nothing is parked")


@app.command
def retry(parked_id: str, /, *, reason: str) -> int:
    """Ask to try a parked fact again, because what failed is mended; a second person agrees."""
    return _asked(parked_id, "retry", reason)


@app.command
def skip(parked_id: str, /, *, reason: str) -> int:
    """Ask that the reaction passes a parked fact over for ever; a second person agrees."""
    return _asked(parked_id, "skip", reason)


@app.command(name="agree")
def agree_to(parked_id: str, /) -> int:
    """Read what another person asked for a parked fact, and agree to exactly that."""
    with Letopis() as client:
        if (one := _find(client, parked_id)) is None:
            return 1
        if (asked := one["asked"]) is None:
            _out().print(f"nobody asks for a release of {parked_id}", markup=False, highlight=False)
            return 1
        _out().print(f"{asked['person']} asks to {asked['way']} it: {asked['reason']}", markup=False, highlight=False)
        receipt = agree(client, one["service"], parked_id, asked["way"])
        _out().print(f"agreed, recorded at {receipt['position']}", highlight=False)
    return 0


def _asked(parked_id: str, way: Way, reason: str) -> int:
    with Letopis() as client:
        if (one := _find(client, parked_id)) is None:
            return 1
        receipt = ask(client, one["service"], parked_id, way, reason)
        _out().print(
            f"asked, recorded at {receipt['position']}; a second person says: letopis parked agree {parked_id}",
            markup=False,
            highlight=False,
        )
    return 0


def _find(client: Letopis, parked_id: str) -> dict[str, Any] | None:
    """The one of that id; None after it was said that nobody knows it."""
    found, silent = look(client)
    for one in found:
        if one["parked_id"] == parked_id:
            return one
    away = "".join(f"; {name} does not tell: {problem}" for name, problem in silent.items())
    _out().print(f"{parked_id} is not parked{away}", style="red", markup=False, highlight=False)
    return None


def _out() -> Console:
    return Console()
