"""Recorded decisions asked again: under the revision that answered, bit for bit; or under two, to see who would flip.

Questions are what facts recorded: input, result and revision. Nothing else is needed, because a decision depends on
nothing but its input and the bundle.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import PolicyError
from letopis.common.policy.verdict import read_answer, verdict_of
from letopis.common.serialization import canonical

# Denials that stand where the engine gave no answer; no policy gives them again.
SILENT = "policy."
# An obligation that the asker could not fulfil: the engine had allowed.
STRANGE = "obligation.unknown"
SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A decision as a fact recorded it."""

    ledger: str
    position: int
    recorded_at: str
    authorization: dict[str, Any]

    @classmethod
    def of(cls, ledger: str, position: int, recorded_at: str, meta: bytes | str) -> "Recorded | None":
        """The decision behind a fact; None where there is none, or a lease stands for it."""
        authorization = json.loads(meta).get("authorization")
        if not authorization or not authorization.get("input"):
            return None
        return cls(ledger=ledger, position=position, recorded_at=recorded_at, authorization=authorization)

    @property
    def answered(self) -> bool:
        """Whether an engine gave it: under a lease, refused at the door, or by its silence, nothing is to ask again."""
        one = self.authorization
        asked = bool(one.get("input") and one.get("revision"))
        return asked and not any(rule.startswith(SILENT) for rule in one["result"].get("deny", ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of asking once more; `same` means equal canonical bytes."""

    same: bool
    answer: dict[str, Any]


def replay(engine: Engine, authorization: dict[str, Any]) -> Replay:
    """Ask the engine what the fact says was asked; the engine MUST hold the recorded revision."""
    answer = ask(engine, authorization["input"])
    recorded = authorization["result"]
    if STRANGE in recorded["deny"]:
        # Our own last word over an engine's yes: told again from that yes.
        answer = verdict_of(read_answer(answer), authorization["input"], "").authorization.result
    return Replay(same=canonical(answer) == canonical(recorded), answer=answer)


def ask(engine: Engine, input: dict[str, Any]) -> dict[str, Any]:
    """The engine's whole answer; a policy that has none denies, as the asking code would."""
    try:
        answer: dict[str, Any] = engine.evaluate(f"letopis.{input['action'].partition('.')[0]}.authorize", input)
    except PolicyError:
        return {
            "allow": False,
            "deny": ["policy.undefined"],
            "warned": [],
            "observed": [],
            "obligations": [],
            "reasons": {},
            "revision": engine.revision,
        }
    return answer


def difference(before: Engine, after: Engine, decisions: Iterable[Recorded]) -> dict[str, Any]:
    """Who would be answered otherwise, by which rule: counts of all, and the newest of them in full."""
    asked, flips = 0, []
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in decisions:
        asked += 1
        old, new = (ask(engine, one.authorization["input"]) for engine in (before, after))
        if _essence(old) == _essence(new):
            continue
        flips.append(_flip(one, old, new))
        counts.update(_kinds(one.authorization["input"]["action"], old, new))
    flips.sort(key=lambda one: (one["recorded_at"], one["ledger"], one["position"]), reverse=True)
    changed = [
        {"action": action, "rule": rule, "change": change, "decisions": n}
        for (action, rule, change), n in sorted(counts.items())
    ]
    return {"decisions": asked, "flipped": len(flips), "changes": changed, "flips": flips[:SHOWN]}


def _essence(answer: dict[str, Any]) -> bytes:
    """All of an answer that somebody would notice: neither words nor the revision."""
    parts = {name: answer[name] for name in ("allow", "deny", "warned", "observed")}
    obligations = sorted(canonical(one).decode() for one in answer["obligations"])
    return canonical({**parts, "obligations": obligations})


def _kinds(action: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for kind, word in (("deny", "denied"), ("warned", "warned"), ("observed", "observed")):
        for rule in sorted(set(new[kind]) - set(old[kind])):
            yield action, rule, f"newly {word}"
        for rule in sorted(set(old[kind]) - set(new[kind])):
            yield action, rule, f"no longer {word}"
    if old["allow"] == new["allow"] and sorted(map(canonical, old["obligations"])) != sorted(
        map(canonical, new["obligations"])
    ):
        yield action, "", "other obligations"


def _flip(one: Recorded, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    asked = one.authorization["input"]
    brief = ("allow", "deny", "warned", "observed", "obligations")
    return {
        "ledger": one.ledger,
        "position": one.position,
        "recorded_at": one.recorded_at,
        "action": asked["action"],
        "login": asked["subject"]["login"],
        "person": asked["subject"]["person"],
        "object": {"type": asked["object"]["type"], "id": asked["object"]["id"]},
        "before": {name: old[name] for name in brief},
        "after": {name: new[name] for name in brief},
    }
