"""`letopis policy explain | replay | show | draft | publish`: what decides, what decided, what shall decide."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from cyclopts import Parameter
from rich.console import Console

from letopis.common.ledgers import OWNERS
from letopis.common.policy.amending import amended
from letopis.common.policy.cli import app as app  # noqa: PLC0414 what the command line mounts
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import ask
from letopis.common.policy.sources import collect
from letopis.sdk import decisions
from letopis.sdk.client import Letopis
from letopis.sdk.decisions import Revisions

_PLACE = re.compile(r"([a-z][a-z0-9_-]*)/([1-9][0-9]*)\Z")
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+\Z")
_out = Console(soft_wrap=True, highlight=False, markup=False)

Bundle = Annotated[Path | None, Parameter(help="A signed bundle of a revision that is not installed here.")]
Key = Annotated[Path | None, Parameter(help="The public key (PEM) that the bundle is verified by.")]


@app.command
def explain(what: str, /, *, login: str = "", input: Path | None = None, bundle: Bundle = None, key: Key = None) -> int:
    """Say what decides an action, or what decided: by whose rule, and how to go on.

    Parameters
    ----------
    what
        An action (registry.promotion.approve), a recorded fact (registry/1042), or the number of a refusal.
    login
        With an action: which of this login's roles open it.
    input
        With an action: a JSON file with subject, purpose, object and facts; the policy in force is asked about it.
    """
    with Letopis() as client:
        if _ACTION.match(what):
            lines = _of_action(client, what, login)
            if input is not None:
                lines += _of_question(client, what, json.loads(input.read_bytes()))
            _say(lines)
            return 0
        return _of_fact(client, _fact(client, what), bundle, key)


@app.command(name="replay")
def replay_all(
    ledger: str, /, *, first: int = 1, last: int = sys.maxsize, bundle: Bundle = None, key: Key = None
) -> int:
    """Ask every recorded decision of a ledger again: each must come out the same to the last bit."""
    same = other = unknown = 0
    with Letopis() as client:
        revisions = Revisions.of(client, bundle, key)
        try:
            for one in decisions.decisions(client, ledger, first, last):
                if not one.answered:
                    continue
                again = revisions.replay(one)
                if again is None:
                    unknown += 1
                elif again.same:
                    same += 1
                else:
                    other += 1
                    _say([f"{one.ledger}/{one.position} {one.authorization['input']['action']} comes out otherwise"])
        finally:
            revisions.close()
    _say([f"{same} decisions the same bit for bit, {other} otherwise, {unknown} of a revision that is not here"])
    return 1 if other or unknown or not same else 0


@app.command
def show() -> None:
    """The policy in force: its changes over what the rooms wrote, and the drafts that wait."""
    with Letopis() as client:
        told = client.registry.get("/v1/policy")
        lines = [f"revision {told['revision']}"]
        lines += [f"  {path} = {json.dumps(value)}" for path, value in sorted(told["changes"].items())]
        for one in client.registry.get("/v1/policy-releases"):
            lines.append(
                f"{one['release_id']} {one['state']}: {one['title']} ({one['author']}), flips {one['flipped']}"
            )
    _say(lines)


@app.command
def draft(file: Path, /, *, title: str, reason: str) -> None:
    """Draft changes from a JSON file of paths and values (null takes a change back)."""
    with Letopis() as client:
        body = {"title": title, "reason": reason, "changes": json.loads(file.read_bytes())}
        receipt = client.registry.post("/v1/policy-releases", body)
    _say([f"drafted as {receipt['facts'][0]['data']['release_id']}, recorded at {receipt['position']}"])


@app.command(name="rehearse-release")
def rehearse_release(release: str, /, *, newest: int = 5000) -> None:
    """Ask the newest recorded decisions of all ledgers again under a draft, and show who would flip."""
    with Letopis() as client:
        client.registry.post(f"/v1/policy-releases/{release}/rehearsals", {"newest": newest})
        _say(_difference(client.registry.get(f"/v1/policy-releases/{release}/rehearsal")))


@app.command
def publish(release: str, /, *, yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False) -> int:
    """Put another person's draft into force, after looking at its rehearsal."""
    with Letopis() as client:
        known = client.registry.get(f"/v1/policy-releases/{release}")
        changes = [f"  {path} = {json.dumps(value)}" for path, value in sorted(known["changes"].items())]
        _say([f"{known['title']}, by {known['author']}: {known['reason']}", *changes])
        if known["rehearsal"]:
            _say(_difference(client.registry.get(f"/v1/policy-releases/{release}/rehearsal")))
        if not yes and _out.input("Put it into force? [y/N] ").strip().lower() not in {"y", "yes"}:
            _say(["nothing was published"])
            return 1
        receipt = client.registry.post(f"/v1/policy-releases/{release}/publication", {"rehearsal": known["rehearsal"]})
    _say([f"published, recorded at {receipt['position']}"])
    return 0


def _fact(client: Letopis, what: str) -> dict[str, str]:
    place = _PLACE.match(what)
    if place is not None and place[1] in OWNERS:
        return decisions.at(client, place[1], int(place[2]))
    try:
        return decisions.numbered(client, UUID(what))
    except ValueError:
        raise SystemExit(f"{what} is neither an action, nor ledger/position, nor the number of a decision") from None


def _of_fact(client: Letopis, fact: dict[str, str], bundle: Path | None, key: Path | None) -> int:
    lines = [f"{fact['ledger']}/{fact['position']} {fact['type']}, {fact['recorded_at']}"]
    authorization = json.loads(fact["meta"]).get("authorization") or {}
    if lease := authorization.get("lease"):
        lines.append(f"under lease {lease}")
        fact = decisions.numbered(client, UUID(lease), decisions.beside(fact["ledger"]))
        lines.append(f"which {fact['ledger']}/{fact['position']} granted")
    one = decisions.recorded(fact)
    if one is None:
        _say([*lines, "no policy decision stands behind this fact"])
        return 1
    _say([*lines, *decisions.told(one.authorization)])
    if not one.answered:
        _say(["the engine gave no answer then, so there is nothing to ask again"])
        return 0
    revisions = Revisions.of(client, bundle, key)
    try:
        again = revisions.replay(one)
    finally:
        revisions.close()
    if again is None:
        _say(["its revision is not here: give the bundle by --bundle and --key to ask again"])
        return 2
    if not again.same:
        _say(["ASKED AGAIN, IT COMES OUT OTHERWISE:", json.dumps(again.answer, indent=1, sort_keys=True)])
        return 1
    _say(["asked again under the same revision: the same, bit for bit"])
    return 0


def _of_action(client: Letopis, action: str, login: str) -> list[str]:
    told = client.registry.get("/v1/policy")
    found = next((one for one in told["actions"] if one["action"] == action), None)
    if found is None:
        return [f"no room declares {action}"]
    service, room, _ = action.split(".")
    lines = [f"{action} under policy {told['revision']}", f"  roles: {', '.join(found['roles'])}"]
    lines.append(f"  needs: {', '.join(found['requires']) or 'nothing beyond who asks'}")
    if login:
        known = client.registry.get(f"/v1/principals/{login}")
        opening = sorted(set(known["roles"]) & set(found["roles"])) or (["*"] if "*" in found["roles"] else [])
        lines.append(f"  {login} ({', '.join(known['roles']) or 'no role'}): " + _granted(opening))
    for rule in told["rules"]:
        if (rule["service"], rule["room"]) == (service, room):
            lines += [f"  {rule['mode']} {rule['rule']}: {rule['message']}"]
            lines += [f"    owner: {rule['owner']}", f"    do: {rule['remedy']}"]
    for one in told["settings"]:
        if one["path"].startswith(f"settings/{service}/{room}/"):
            lines.append(f"  {one['label']}: {json.dumps(one['value'])}")
    return lines


def _granted(roles: list[str]) -> str:
    if not roles:
        return "refused by role.not_granted; ask an administrator for one of the roles"
    return f"may ask, by {', '.join(roles)}; the rules below are heard then"


def _of_question(client: Letopis, action: str, question: dict[str, Any]) -> list[str]:
    """The policy in force, composed here, asked about a question that nobody put yet."""
    engine = Engine(amended(collect(), client.registry.get("/v1/policy")["changes"]))
    try:
        asked = {"purpose": "", "facts": {}, **question, "action": action}
        answer = ask(engine, asked)
    finally:
        engine.close()
    return decisions.told({"input": asked, "result": answer, "revision": answer["revision"]})


def _difference(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['decisions']} recorded decisions asked again, {told['flipped']} would come out otherwise"]
    lines += [f"  {one['decisions']} x {one['action']}: {one['change']} {one['rule']}" for one in told["changes"]]
    for one in told["flips"][:20]:
        who = one["person"] or one["login"]
        lines.append(f"  {one['ledger']}/{one['position']} {who}: {one['before']['deny']} -> {one['after']['deny']}")
    return lines


def _say(lines: list[str]) -> None:
    for line in lines:
        _out.print(line)
