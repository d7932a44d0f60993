"""Building a training set in the sandbox: the spine, one point-in-time join a view, one table in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from letopis.common.errors import Refused
from letopis.features.bundle.events import BundleRegistered
from letopis.features.dataset.events import DatasetColumn, Leak
from letopis.features.dataset.manifest import Split
from letopis.features.query.gate import quoted
from letopis.features.query.sandbox import Sandbox
from letopis.features.view.events import ViewRegistered
from letopis.features.view.point_in_time import Joined, KnownTime, answered, row_numbered

MOMENT = "as_of"
SPLIT = "split"


class SpineWrong(Refused):
    """The spine does not say whose rows they are, or of which moment."""

    code = "dataset.spine_wrong"
    title = "The spine must give the entity's key and a moment called as_of for every row"


class NamesClash(Refused):
    """Two columns of the training set would have the same name."""

    code = "dataset.names_clash"
    title = "A label has the name of a feature, or a name of ours; give it another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An Arrow table in one order (key, moment, then the labels), its types, and the leak report."""

    table: Any
    types: Mapping[str, str]
    labels: tuple[str, ...]
    leak: tuple[Leak, ...]


def build(
    sandbox: Sandbox,
    *,
    bundle: BundleRegistered,
    views: Sequence[ViewRegistered],
    spine_sql: str,
    known_time: KnownTime,
    known_until: str,
    split: Split | None,
) -> Built:
    """Build the table.

    `views` are those of the bundle; `known_until` is an ISO 8601 time or "": nothing that became known later is used.
    Raises SpineWrong, NamesClash, SqlFailed.
    """
    sandbox.keep("__asked", spine_sql)
    types = {name.lower(): type for name, type in sandbox.columns("__asked").items()}
    labels = _labels(types, bundle)
    sandbox.keep("__spine", row_numbered(list(types), "__asked", key=bundle.key, moment=MOMENT))
    bad = sandbox.query('SELECT count(*) AS n FROM "__spine" WHERE "__key" IS NULL OR "__at" IS NULL').to_pylist()[0][
        "n"
    ]
    if bad:
        raise SpineWrong(f"{bad} rows have no {bundle.key} or no {MOMENT}", rows=bad)
    columns = [f"s.{quoted(bundle.key)}", f's."__at" AS {quoted(MOMENT)}', *(f"s.{quoted(name)}" for name in labels)]
    joins, leak = [], []
    for place, view in enumerate(views):
        leak.append(_join(sandbox, view, place, known_time, known_until))
        joins.append(f'JOIN "__a{place}" a{place} ON a{place}."__row" = s."__row"')
        names = [one.name for one in view.features]
        columns += [
            f"a{place}.f{names.index(one.feature)} AS {quoted(one.name)}"
            for one in bundle.features
            if one.view_id == view.view_id
        ]
    if split is not None:
        columns.append(f"{_split(split, bundle.key)} AS {quoted(SPLIT)}")
    sandbox.keep("__set", f'SELECT {", ".join(columns)} FROM "__spine" s {" ".join(joins)} ORDER BY s."__row"')
    ordered = [bundle.key, MOMENT, *labels, *(one.name for one in bundle.features), *([SPLIT] if split else [])]
    table = sandbox.query(f'SELECT {", ".join(quoted(name) for name in ordered)} FROM "__set"')
    return Built(table=table, types=sandbox.columns("__set"), labels=labels, leak=tuple(leak))


def _labels(types: Mapping[str, str], bundle: BundleRegistered) -> tuple[str, ...]:
    if bundle.key not in types or MOMENT not in types:
        raise SpineWrong(f"it gives {', '.join(types)}; it must give {bundle.key} and {MOMENT}")
    if not types[MOMENT].startswith(("TIMESTAMP", "DATE")):
        raise SpineWrong(f"{MOMENT} is {types[MOMENT]}, not a date or timestamp")
    labels = tuple(name for name in types if name not in {bundle.key, MOMENT})
    taken = {one.name for one in bundle.features} | {SPLIT}
    clash = sorted(taken & set(labels)) + sorted({bundle.key, MOMENT, SPLIT} & {one.name for one in bundle.features})
    if clash:
        raise NamesClash(f"used twice: {', '.join(clash)}", names=clash)
    return labels


def _join(sandbox: Sandbox, view: ViewRegistered, place: int, known_time: KnownTime, known_until: str) -> Leak:
    sandbox.keep(f"__v{place}", view.sql)
    if known_until:
        known = quoted(view.known_time or view.event_time)
        sandbox.keep(
            f"__k{place}", f"SELECT * FROM \"__v{place}\" WHERE CAST({known} AS TIMESTAMP) <= TIMESTAMP '{known_until}'"
        )
    joined = Joined(
        table=f"__k{place}" if known_until else f"__v{place}",
        key=view.key,
        event_time=view.event_time,
        known_time=view.known_time,
        ttl_seconds=view.ttl_seconds,
        features=tuple(one.name for one in view.features),
    )
    sandbox.keep(f"__a{place}", answered(joined, spine="__spine", mode=known_time, prefix="f"))
    told = sandbox.query(f'SELECT count(*) AS n, sum("__leaks") AS leaks FROM "__a{place}"').to_pylist()[0]
    return Leak(view_id=view.view_id, rows=int(told["n"]), leaked=int(told["leaks"] or 0))


def _split(split: Split, key: str) -> str:
    """All rows of an entity fall on the same side; the hash is MD5, for spreading and not for secrecy."""
    spread = f"md5('{split.seed}:' || CAST(s.{quoted(key)} AS VARCHAR))"
    # The first 8 hex digits, as a number below 2**32.
    number = f"CAST(concat('0x', substr({spread}, 1, 8)) AS BIGINT)"
    return f"CASE WHEN {number} < {int(split.test_share * 2**32)} THEN 'test' ELSE 'train' END"


def described(
    built: Built,
    *,
    bundle: BundleRegistered,
    views: Sequence[ViewRegistered],
    label_origin: Mapping[str, tuple[str, ...]],
    classes: Mapping[str, str],
    kinds: Mapping[str, str],
    treatments: Mapping[str, str],
) -> tuple[DatasetColumn, ...]:
    """The columns of the manifest. `label_origin` and the views' lineage name `source.column`s, as do the mappings."""
    from letopis.features.query.gateway import stricter
    from letopis.features.source.classes import highest

    origin = {(view.view_id, one.name): one.lineage for view in views for one in view.features}

    def column(name: str, role: Any, came: Sequence[str], view_id: str = "", feature: str = "") -> DatasetColumn:
        treatment = "clear"
        for one in came:
            treatment = stricter(treatment, treatments.get(one, "clear"))
        held = {kinds.get(one, "") for one in came} - {""}
        return DatasetColumn(
            name=name,
            type=built.types[name],
            role=role,
            cls=highest(classes.get(one, "restricted") for one in came),
            kind=held.pop() if len(held) == 1 else "",
            treatment=treatment,
            view_id=view_id,
            feature=feature,
        )

    return (
        column(bundle.key, "key", label_origin.get(bundle.key, ())),
        column(MOMENT, "time", label_origin.get(MOMENT, ())),
        *(column(name, "label", label_origin.get(name, ())) for name in built.labels),
        *(
            column(one.name, "feature", origin[one.view_id, one.feature], one.view_id, one.feature)
            for one in bundle.features
        ),
        *([column(SPLIT, "split", ())] if SPLIT in built.types else []),
    )


def parquet(table: Any) -> tuple[bytes, str]:
    """The table as Parquet bytes, equal for equal tables, and their SHA-256."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Metadata of the process that made the table is left out: the bytes depend on rows and types alone.
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd", version="2.6")
    data: bytes = sink.getvalue().to_pybytes()
    return data, sha256(data).hexdigest()


def engines() -> tuple[str, ...]:
    """What computes and writes a training set."""
    import duckdb
    import pyarrow as pa

    return (f"duckdb {duckdb.__version__}", f"pyarrow {pa.__version__}")
