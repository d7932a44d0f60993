"""A log of past scores held against our rules: which version answered, for whom, what for, on which inputs.

The log is an Arrow table with the columns `decision_id, at, model, version, caller, purpose, score` and the inputs of
the model's signature; `columns` of the description names them where they are called otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from letopis.common.errors import Invalid
from letopis.common.policy.engine import Engine
from letopis.common.policy.rehearsal import ask
from letopis.registry.observing.finding import INVARIANT, Finding
from letopis.registry.observing.mlflow import Seen

NEEDED = ("decision_id", "at", "model", "version", "caller", "purpose", "score")
EXAMPLES = 5
FAULTS = {
    "scoring.version_unknown": ("no registry knows the version that answered", "register the version"),
    "scoring.not_in_use": ("the version answered before it was put to use", "promote it before it scores"),
    "scoring.repeated": ("a decision stands more than once", "send an Idempotency-Key with every request"),
    "scoring.no_score": ("the score is no number between 0 and 1", "refuse a row that the model cannot score"),
    "scoring.bad_rows": ("an input is missing or outside what the model's signature allows", "check rows by signature"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What the signature says of one input; a bound that is None does not bind."""

    name: str
    least: float | None = None
    most: float | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """How to read a log: names of columns, inputs by signature, and the callers each application was granted to."""

    inputs: tuple[Input, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    consumers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load(file: Path, described: Described) -> Any:
    """A Parquet or CSV file as an Arrow table with our names; Invalid if a column is missing."""
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(file)
    else:
        from pyarrow import csv

        table = csv.read_csv(file)
    theirs = {name: ours for ours, name in described.columns.items()}
    table = table.rename_columns([theirs.get(name, name) for name in table.column_names])
    wanted = [*NEEDED, *(one.name for one in described.inputs)]
    if lacking := sorted(set(wanted) - set(table.column_names)):
        raise Invalid(f"{file.name} lacks {', '.join(lacking)}; say in `columns` how they are called there")
    return table.select(wanted)


def findings(table: Any, described: Described, seen: list[Seen], engine: Engine) -> Iterator[Finding]:
    """One finding for each rule, version and caller, with how often and the first examples."""
    import pyarrow as pa

    known = {(one.model, one.version): one.used_from for one in seen}
    masks = {
        "scoring.version_unknown": _unknown(table, known),
        "scoring.not_in_use": _early(table, known),
        "scoring.repeated": _repeated(table),
        "scoring.no_score": _no_score(table),
        "scoring.bad_rows": _bad_rows(table, described),
    }
    for rule, mask in masks.items():
        message, remedy = FAULTS[rule]
        words = {"owner": INVARIANT, "message": message, "remedy": remedy}
        yield from _told(table.filter(mask), rule, words)
    for caller, purpose, model in _distinct(table, ("caller", "purpose", "model")):
        answer = ask(engine, _asked(caller, purpose, model, described))
        denied = [rule for rule in answer["deny"] if rule not in {"role.not_granted", "role.untrained"}]
        if denied:
            rows = table.filter(
                pa.array(_equal(table, {"caller": caller, "purpose": purpose, "model": model}), pa.bool_())
            )
            for rule in denied:
                yield from _told(rows, rule, answer["reasons"][rule])


def _told(rows: Any, rule: str, words: Mapping[str, str]) -> Iterator[Finding]:
    """Grouped by version and caller."""
    if not rows.num_rows:
        return
    groups: dict[tuple[str, str, str], list[str]] = {}
    names = ("model", "version", "caller", "decision_id")
    for model, version, caller, id in zip(*(rows.column(name).to_pylist() for name in names), strict=True):
        groups.setdefault((str(model), str(version), str(caller)), []).append(str(id))
    for (model, version, caller), ids in sorted(groups.items()):
        what = f"{model}/{version}"
        yield Finding(rule=rule, what=what, whom=caller, count=len(ids), examples=tuple(ids[:EXAMPLES]), **words)


def _unknown(table: Any, known: Mapping[tuple[str, str], datetime | None]) -> Any:
    import pyarrow as pa

    pairs = zip(*(table.column(name).to_pylist() for name in ("model", "version")), strict=True)
    return pa.array([(str(model), str(version)) not in known for model, version in pairs], pa.bool_())


def _early(table: Any, known: Mapping[tuple[str, str], datetime | None]) -> Any:
    import pyarrow as pa

    found = []
    names = ("model", "version", "at")
    for model, version, at in zip(*(table.column(name).to_pylist() for name in names), strict=True):
        pair = (str(model), str(version))
        found.append(pair in known and not _since(known[pair], at))
    return pa.array(found, pa.bool_())


def _since(used_from: datetime | None, at: Any) -> bool:
    """Whether a moment of the log lies after the version was put to use; times without a zone are UTC."""
    if used_from is None:
        return False
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    return bool((moment if moment.tzinfo else moment.replace(tzinfo=used_from.tzinfo)) >= used_from)


def _repeated(table: Any) -> Any:
    import pyarrow as pa

    seen: set[Any] = set()
    found = []
    for id in table.column("decision_id").to_pylist():
        found.append(id in seen)
        seen.add(id)
    return pa.array(found, pa.bool_())


def _no_score(table: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    score = table.column("score").cast(pa.float64())
    fine = pc.and_(pc.greater_equal(score, 0.0), pc.less_equal(score, 1.0))
    return pc.invert(pc.fill_null(fine, fill_value=False))


def _bad_rows(table: Any, described: Described) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    bad = pa.array([False] * table.num_rows, pa.bool_())
    for one in described.inputs:
        column = table.column(one.name).combine_chunks()
        value = column.cast(pa.float64())
        empty = pc.or_(pc.is_null(value), pc.fill_null(pc.is_nan(value), fill_value=False))
        if not one.nullable:
            bad = pc.or_(bad, empty)
        if one.least is not None:
            bad = pc.or_(bad, pc.fill_null(pc.less(value, one.least), fill_value=False))
        if one.most is not None:
            bad = pc.or_(bad, pc.fill_null(pc.greater(value, one.most), fill_value=False))
    return bad


def _distinct(table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    groups = table.group_by(list(names)).aggregate([])
    return sorted(zip(*(groups.column(name).to_pylist() for name in names), strict=True), key=str)


def _equal(table: Any, wanted: Mapping[str, Any]) -> list[bool]:
    columns = [table.column(name).to_pylist() for name in wanted]
    values = tuple(wanted.values())
    return [row == values for row in zip(*columns, strict=True)]


def _asked(caller: Any, purpose: Any, model: Any, described: Described) -> dict[str, Any]:
    """The question that our scoring asks, for a caller of the log."""
    granted = described.consumers.get(str(model), (str(caller),) if not described.consumers else ())
    return {
        "action": "inference.scoring.score",
        "subject": {
            "person": "",
            "login": str(caller or "unknown"),
            "service": "",
            "roles": ["consumer"],
            "groups": [],
            "act": "",
            "mfa_at": None,
        },
        "purpose": str(purpose or ""),
        "object": {"type": "application", "id": str(model), "tenant": "", "attributes": {}},
        "context": {"time": "2000-01-01T00:00:00.000000Z"},
        "facts": {"consumers": list(granted)},
    }
