"""Commands of the chronicle: `letopis verify` and `letopis checkpoint`."""

import gc
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any

import httpx
import psycopg
from cyclopts import App, Parameter

from letopis.audit.checkpoint import kept, stored
from letopis.audit.claim.recomputing import compared, recomputed
from letopis.audit.evidence.program import remade, verify_pyz
from letopis.audit.evidence.verifier.command import told
from letopis.audit.evidence.verifier.fault import Bad, Fault
from letopis.audit.evidence.verifier.ledger import Row, differing, root_over
from letopis.audit.evidence.verifier.note import Keys, keys_of
from letopis.audit.evidence.verifier.pack import verify as verify_pack
from letopis.audit.evidence.verifier.witness import policy_of
from letopis.audit.log.sealed import NotSealedYet
from letopis.audit.siem.commands import app as siem_app
from letopis.audit.witness.commands import app as witness_app
from letopis.common.ledgers import LEDGERS, OWNERS
from letopis.sdk.client import Letopis
from letopis.sdk.places import find_places
from letopis.sdk.problems import Problem

SHOWN = 20
PATIENCE = 10.0

app = App(name="audit", help="The chronicle: verify packs and live ledgers, keep checkpoints outside.")
checkpoint_app = App(name="checkpoint", help="Keep signed checkpoints outside, where nobody of ours can change them.")
app.command(checkpoint_app)
app.command(witness_app)
app.command(siem_app)
incident_app = App(name="incident", help="A ledger that stands still after a backup was restored: two people go on.")
app.command(incident_app)


@app.command
def verify(
    pack: Path | None = None,
    *,
    checkpoint: Annotated[list[Path], Parameter(negative=())] = [],  # noqa: B006 cyclopts reads the default
    key: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006
    database: str = "",
    door: str = "",
    log: str = "",
    ledger: str = "",
    copy: bool = False,
    policy: Path | None = None,
) -> int:
    """Verify an evidence pack, or a live ledger against a checkpoint kept outside.

    Parameters
    ----------
    pack
        An evidence pack (zip); checked offline, with the report made again.
    checkpoint
        A kept checkpoint: a folder made by `letopis checkpoint export`, or a signed note.
    key
        The log's verifier key, if you have it from elsewhere.
    database
        A PostgreSQL URL: every stored fact is hashed again, bypassing all services.
    door
        The address of the ledger's owner: the same over HTTP, as the current login.
    log
        The address of the audit service: is its log a continuation of the kept checkpoint?
    ledger
        Which ledger the checkpoint must be of.
    copy
        The database is the chronicle's: read its copy of the ledger.
    policy
        A file that says which witnesses must have signed the logs of a pack (C2SP tlog-policy).
    """
    gc.disable()
    with _verdicts() as failed:
        keys = keys_of("\n".join(key)) if key else None
        if pack is not None:
            notes = [(one / "checkpoint" if one.is_dir() else one).read_bytes() for one in checkpoint]
            who = policy_of(policy.read_text("utf-8")) if policy else None
            verdict = verify_pack(pack.read_bytes(), remade, keys, notes, who)
            _say(told(verdict, own_keys=keys is None))
            return 0 if verdict.good else 1
        if len(checkpoint) != 1 or not (database or door or log):
            _say("give a pack, or --checkpoint with --database, --door or --log")
            return 2
        held = _held(checkpoint[0], ledger, keys)
        if log:
            with _reading(log) as client:
                trusted = keys or keys_of((checkpoint[0] / "key").read_text("utf-8"))
                head = kept.continued(client, held, trusted)
            _say(f"ok      {held.ledger}: the log of {head.size} continues the kept checkpoint of {held.head.size}")
        if database:
            return _live(held, stored.of_database(database, held.ledger, held.head.size, copy=copy))
        if door:
            with Letopis(purpose="verification") as person:
                headers = {"Authorization": f"Bearer {person.token()}", "Letopis-Purpose": "verification"}
            with httpx.Client(base_url=door, headers=headers, timeout=60, trust_env=False) as client:
                return _live(held, stored.of_door(client, held.ledger, held.head.size))
        _say("VERIFIED")
    return failed[0]


@checkpoint_app.command
def export(
    *,
    out: Path,
    ledger: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006
    log: str = "",
    key: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006
) -> int:
    """Keep the signed checkpoints of ledgers (all of them if none is named) with the leaf hashes below them.

    `log` is the audit service's address, the running stack's if it is left out. A later export into the same
    folder checks that the log continues what was kept.
    """
    with _verdicts() as failed, _reading(log or find_places().of("audit")) as client:
        keys = keys_of("\n".join(key)) if key else None
        for one in ledger or LEDGERS:
            head, before = kept.fetch(client, one, out / one, keys)
            known = f", continues the kept {before.size}" if before else ""
            _say(f"ok      {one}: {head.size} facts, root {head.root.hex()[:16]}{known}, in {out / one}")
    return failed[0]


@app.command
def verifier(*, out: Path = Path("verify.pyz")) -> int:
    """Write `verify.pyz`, the verifier that needs nothing but Python."""
    out.write_bytes(verify_pyz())
    _say(f"wrote {out}")
    return 0


@app.command(name="pack")
def make_pack(
    *,
    out: Path,
    model: str = "",
    version: str = "",
    promotion: str = "",
    decision: str = "",
    report: str = "",
    purpose: str = "supervision",
) -> int:
    """Ask for the evidence pack of a model, a version, a promotion, a decision or an issued report, as the current
    login, and write it to a file.
    """
    named = {"model": model, "version": version, "promotion": promotion, "decision": decision, "report": report}
    scope = {f"{name}_id": value for name, value in named.items() if value}
    with Letopis(purpose=purpose) as person:
        made = _sealed(lambda: person.audit.post("/v1/packs", scope))
        out.write_bytes(person.audit.download(f"/v1/packs/{made['id']}"))
    _say(f"wrote {out}, recorded at {made['position']}; check it: letopis verify {out}")
    return 0


@app.command
def replay(decision: str, /, *, purpose: str = "supervision") -> int:
    """Score a recorded decision once more with its pinned version, as the current login: equal bits, or the difference.

    Nothing is shown of the client's inputs; that somebody asked is recorded.
    """
    with Letopis(purpose=purpose) as person:
        told = person.inference.post(f"/v1/decisions/{decision}/replays")
    for name in ("recorded", "rescored"):
        _say(f"{name:9}{told[name + '_bits']}  {told[name]!r}  {told[name + '_decision']}")
    if told["erased"]:
        _say("ERASED   the client's key was destroyed; score and proof stand, and nothing can be scored again")
        return 1
    _say(f"{'EQUAL' if told['equal'] else 'DIFFERENT':9}{told['version_id']} sha256:{told['version_digest']}")
    return 0 if told["equal"] else 1


@app.command
def claims(*, purpose: str = "supervision") -> int:
    """Make the last recorded evaluation of the standing claims again, from every fact of every ledger, as the login.

    Each fact is read at its owner's door and must be the one under the signed checkpoint; then the claims are held
    against all of them here, and the document must have the recorded bytes.
    """
    gc.disable()
    with _verdicts() as failed, Letopis(purpose=purpose) as person, _reading(find_places().of("audit")) as log:
        recorded = person.audit.get("/v1/claims/evaluations")
        if not recorded:
            _say("no evaluation has been recorded yet; ask again in a minute")
            return 2
        served = person.audit.download(f"/v1/claims/evaluations/{recorded[0]['sha256']}")
        as_of = json.loads(served)["as_of"]
        hashes = {ledger: kept.sealed_hashes(log, ledger) for ledger in as_of}
        headers = {"Authorization": f"Bearer {person.token()}", "Letopis-Purpose": purpose}

        def rows(ledger: str, size: int) -> Iterator[Row]:
            with httpx.Client(base_url=find_places().of(OWNERS[ledger]), timeout=60, trust_env=False) as owner:
                owner.headers.update(headers)
                yield from stored.of_door(owner, ledger, size)

        made = recomputed(as_of, rows, hashes)
        compared(served, recorded[0]["sha256"], made)
        for ledger, head in as_of.items():
            _say(f"ok      {ledger}: {head['position']} facts, none missing, all under the signed checkpoint")
        for one in json.loads(made)["claims"]:
            first = f", first {one['first'][0]}" if one["first"] else ""
            _say(f"{one['verdict']:8}{one['id']}: {one['checked']} checked, {one['violations']} violations{first}")
        _say(f"VERIFIED, the recorded {len(made)} bytes; among recorded acts")
    return failed[0]


@incident_app.command
def request(ledger: str, /, *, reason: str) -> int:
    """Request that a restored ledger is sealed again, as the current login; say which backup was restored and why."""
    with Letopis(purpose="supervision") as person:
        made = person.audit.post(f"/v1/incidents/{ledger}/continuations", {"reason": reason})
    _say(f"recorded at {made['position']}; a second person: letopis incident approve {ledger}")
    return 0


@incident_app.command
def approve(ledger: str, /) -> int:
    """Approve what another person requested; what is lost is declared, and the ledger is sealed again."""
    with Letopis(purpose="supervision") as person:
        made = person.audit.post(f"/v1/incidents/{ledger}/approvals", {})
    _say(f"recorded at {made['position']}")
    return 0


def _sealed(ask: Callable[[], Any]) -> Any:
    """A fact is under a signed head a second or two after it was recorded; ask again until then."""
    until = monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Problem as problem:
            if problem.code != NotSealedYet.code or monotonic() > until:
                raise
            sleep(0.5)


def _reading(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, trust_env=False)


def _held(place: Path, ledger: str, keys: Keys | None) -> kept.Kept:
    held = kept.read(place, keys)
    if ledger and held.ledger != ledger:
        raise Bad(f"is of {held.ledger}, not of {ledger}", str(place))
    return held


def _live(held: kept.Kept, rows: Iterable[Row]) -> int:
    """Compare stored facts with the kept checkpoint; prints and names the first that differs."""
    began, ledger, size = monotonic(), held.ledger, held.head.size
    if held.hashes is None:
        if root_over(ledger, rows, size) != held.head.root:
            _say(f"WRONG   {ledger}: the {size} stored facts do not lead to the checkpoint's root")
            _say("note    keep the tiles too (letopis checkpoint export) and the position is named")
            _say(f"FAILED at {ledger}: some fact up to {size}")
            return 1
        faults: list[Fault] = []
        more = False
    else:
        finding = differing(ledger, rows, held.hashes)
        faults = list(islice(finding, SHOWN))
        more = len(faults) == SHOWN
    for fault in faults:
        _say(f"WRONG   {fault}")
    if faults:
        _say("        there may be more" if more else f"        {len(faults)} in {size} facts")
        _say(f"FAILED at {faults[0].place}")
        return 1
    seconds = max(monotonic() - began, 1e-6)
    _say(f"ok      {ledger}: {size} stored facts are those that were sealed ({size / seconds:,.0f} a second)")
    _say("VERIFIED")
    return 0


@contextmanager
def _verdicts() -> Iterator[list[int]]:
    """Turns what cannot go on into one line and an exit status."""
    code = [0]
    try:
        yield code
    except Bad as bad:
        _say(f"FAILED at {bad.place or 'the input'}: {bad.what}")
        code[0] = 1
    except (OSError, psycopg.Error) as error:
        _say(f"cannot be read: {error}")
        code[0] = 2


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
