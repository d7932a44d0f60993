"""All standing claims over whole ledgers become one document, pure: the same files run in the verifier of a pack.

Logs prove presence; over ledgers without gaps the absence of a fact is proved too, among recorded acts: what was
never recorded anywhere is outside of every claim, and the document says so.
"""

import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .commitment import commitment
from .evaluation import Standing
from .facts import Fact, Record, moment
from .language import NotAClaim, parse

TYPE = "standing_claims"
# What stands in a pack where other reports have their definition: this one is code.
DEFINITION = b'type = "standing_claims"\n'
SCHEMA_VERSION = 1
LEDGERS = ("registry", "features", "access", "inference", "decisions", "monitoring", "audit", "console")
STATED, WITHDRAWN = "audit.claim.stated", "audit.claim.withdrawn"
COMMITTED, REVEALED = "audit.drill.committed", "audit.drill.revealed"
SHOWN = 100
FILES = ("commitment.py", "document.py", "evaluation.py", "facts.py", "language.py", "shipped.json")
STATEMENT = (
    "Each claim was held against every fact of the ledgers up to the positions below, without gaps. It proves what is "
    "absent among recorded acts; an act that was recorded nowhere is outside of it."
)


def shipped() -> list[Any]:
    """The claims that every installation holds itself to."""
    told: list[Any] = json.loads(_source("shipped.json"))
    return told


@dataclass
class Told:
    """A claim with where it comes from; `standing` is None if this code cannot read the definition."""

    id: str
    definition: Any
    source: str
    standing: Standing | None


class Claims:
    """All claims over all ledgers, fed in the order of positions within each; ledgers in any order."""

    def __init__(self, definitions: Iterable[tuple[Any, str]]) -> None:
        self.told = [_told(definition, source) for definition, source in definitions]
        self.by_type: dict[str, list[Standing]] = {}
        self.drills: dict[str, dict[str, Any]] = {}
        for one in self.told:
            for type in one.standing.claim.types if one.standing else ():
                self.by_type.setdefault(type, []).append(one.standing)  # type: ignore[arg-type]

    def feed(self, record: Record) -> None:
        if record["type"] in {COMMITTED, REVEALED}:
            self._drill(record)
        standings = self.by_type.get(record["type"])
        if standings:
            fact = Fact(record)
            for one in standings:
                one.feed(fact)

    def _drill(self, record: Record) -> None:
        """A drill whose plan was told beforehand; whether the one revealed is that plan is computed here again."""
        fact, place = json.loads(record["data"]), f"{record['ledger']}/{record['position']}"
        if record["type"] == COMMITTED:
            self.drills[fact["drill_id"]] = {"committed": place, "commitment": fact["commitment"], "state": "sealed"}
        elif (drill := self.drills.get(fact["drill_id"])) is not None:
            same = commitment(fact["plan"], fact["salt"]) == drill["commitment"]
            told = {"state": "as committed" if same else "plan altered", "revealed": place}
            drill.update(told, caught=fact["caught"], missed=fact["missed"])

    def document(self, heads: Mapping[str, Mapping[str, Any]], last: Mapping[str, str]) -> bytes:
        """The exact bytes of what is found at these heads; `last` tells when each ledger's last fact was recorded."""
        now = max((moment(one) or 0 for one in last.values()), default=0)
        claims = [_found(one, now) for one in sorted(self.told, key=lambda one: one.id)]
        verdicts = [one["verdict"] for one in claims]
        document = {
            "report": {"type": TYPE, "schema_version": SCHEMA_VERSION, "generator_sha256": generator()},
            "as_of": {
                ledger: {
                    **head,
                    "first_position": 1 if head["position"] else 0,
                    "gaps": 0,
                    "last_fact": last.get(ledger),
                }
                for ledger, head in sorted(heads.items())
            },
            "statement": STATEMENT,
            "rows": len(claims),
            "summary": {name: verdicts.count(name) for name in ("held", "violated", "unreadable")},
            "claims": claims,
            "drills": self.drills,
        }
        return (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _told(definition: Any, source: str) -> Told:
    try:
        claim = parse(definition)
    except NotAClaim:
        return Told(str(definition.get("id")) if isinstance(definition, dict) else "", definition, source, None)
    return Told(claim.id, definition, source, Standing(claim))


def _found(one: Told, now: int) -> dict[str, Any]:
    checked, waiting, wrong = one.standing.judged(now) if one.standing else (0, 0, [])
    spelled = json.dumps(one.definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": one.id,
        "text": dict(one.standing.claim.text) if one.standing else {},
        "definition": one.definition,
        "sha256": sha256(spelled.encode()).hexdigest(),
        "stated": one.source,
        "verdict": "unreadable" if one.standing is None else "violated" if wrong else "held",
        "checked": checked,
        "open": waiting,
        "violations": len(wrong),
        "first": [f"{at.ledger}/{at.position}" for at in wrong[:SHOWN]],
    }


def stated(records: Iterable[Record]) -> list[tuple[Any, str]]:
    """The definitions in force: those shipped, and those that auditors stated and did not withdraw."""
    found = {one["id"]: (one, "shipped") for one in shipped()}
    for record in records:
        if record["type"] == STATED:
            definition = json.loads(json.loads(record["data"])["definition"])
            found[definition["id"]] = definition, f"{record['ledger']}/{record['position']}"
        elif record["type"] == WITHDRAWN:
            found.pop(json.loads(record["data"])["claim_id"], None)
    return list(found.values())


def build(facts: Mapping[str, Iterable[Record]], heads: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The document from the facts of whole ledgers and their heads ({position, root} each).

    Facts of types that no claim speaks of may be left out, but the last of each ledger.
    """
    held = {ledger: list(facts.get(ledger, ())) for ledger in LEDGERS}
    claims = Claims(stated(held["audit"]))
    for records in held.values():
        for record in records:
            claims.feed(record)
    return claims.document(heads, {ledger: records[-1]["recorded_at"] for ledger, records in held.items() if records})


def table(document: bytes) -> bytes:
    """The claims as CSV, one a row; made of the JSON, which has authority."""
    names = ("id", "verdict", "checked", "open", "violations")
    lines = [",".join((*names, "first"))]
    for claim in json.loads(document)["claims"]:
        lines += [",".join((*(str(claim[name]) for name in names), " ".join(claim["first"])))]
    return ("\r\n".join(lines) + "\r\n").encode()


def generator() -> str:
    """The SHA-256 over the code and the shipped claims: a result names what made it."""
    told = sha256()
    for name in FILES:
        told.update(sha256(_source(name)).digest())
    return told.hexdigest()


def _source(name: str) -> bytes:
    return pkgutil.get_data(__package__ or "claims", name) or b""
