"""Acts: the real panel becomes sources with classes and grants, feature views, and point-in-time training sets."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from e2e.journey.world import Problem, World

DATA = Path(__file__).parents[1] / "data"
MONTHS = ("2005-04-01", "2005-05-01", "2005-06-01", "2005-07-01", "2005-08-01", "2005-09-01")
APRIL, MAY, JUNE, JULY, AUGUST, SEPTEMBER = MONTHS
FEATURES = ("status", "bill", "paid", "utilisation", "limit_amount", "age")
PURPOSE = "credit_scoring"

PANEL_CLASSES = {
    "account_id": {"cls": "internal", "kind": "identifier"},
    "label": {"cls": "confidential"},
    **{name: {"cls": "internal"} for name in ("month", *FEATURES, "sex", "education", "marriage")},
}
PEOPLE_CLASSES = {
    "account_id": {"cls": "internal", "kind": "identifier"},
    "full_name": {"cls": "personal", "kind": "full_name"},
    "email": {"cls": "personal", "kind": "email"},
    "phone": {"cls": "personal", "kind": "phone"},
}
VIEW_SQL = "SELECT account_id, month, status, bill, paid, utilisation, limit_amount, age FROM panel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What data work left behind."""

    view_id: str
    bundle_id: str


def panel(accounts: int, month: str | None = None) -> Any:
    """The first accounts of the panel as an Arrow table, of one month where given."""
    table = pq.read_table(DATA / "credit_panel.parquet")
    table = table.filter(pc.less_equal(table["account_id"], accounts))
    if month is not None:
        table = table.filter(pc.equal(pc.strftime(table["month"], format="%Y-%m-%d"), month))
    return table


def parquet(table: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def lay(world: World) -> None:
    """The bank's own files, which no backup of ours holds."""
    folder = world.data_dir / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "panel.parquet").write_bytes(parquet(panel(world.accounts)))
    people = pq.read_table(DATA / "synthetic_people.parquet").slice(0, world.accounts)
    (folder / "people.parquet").write_bytes(parquet(people))


def bring(world: World) -> None:
    """Oleg registers the sources and their extracts; Pavel confirms classes and grants columns for a purpose."""
    lay(world)
    oleg, pavel = world["oleg"], world["pavel"]
    for source, classes, description in (
        ("panel", PANEL_CLASSES, "Credit card accounts by month, real (I-Cheng Yeh, 2009, CC BY 4.0)"),
        ("people", PEOPLE_CLASSES, "Names, e-mails and phones of the accounts, synthetic"),
    ):
        body = {"source_id": source, "name": source.title(), "zone": "etl_copy", "description": description}
        oleg.post("features", "/v1/sources", body)
        extract = {"files": [f"{source}.parquet"], "job": f"etl.{source}", "reason": "monthly copy"}
        oleg.post("features", f"/v1/sources/{source}/extracts", extract)
        said = {"classes": classes, "reason": "read column by column"}
        pavel.post("features", f"/v1/sources/{source}/classification", said)
    grants(world)
    world.tell(
        "Oleg", f"two sources from the warehouse copy, {world.accounts * len(MONTHS):,} rows; Pavel confirms classes"
    )


def grants(world: World) -> None:
    """Pavel lets them read for a quarter."""
    until = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    columns = {"panel": sorted(PANEL_CLASSES), "people": sorted(PEOPLE_CLASSES)}
    for grantee in ("anna", "vera"):
        grant(world, grantee, columns, until)
    for service in ("service:inference", "service:monitoring"):
        grant(world, service, {"panel": sorted(PANEL_CLASSES)}, until)


def grant(world: World, grantee: str, columns: dict[str, list[str]], until: str) -> None:
    body = {
        "grantee": grantee,
        "purpose": PURPOSE,
        "project": "cards",
        "columns": columns,
        "unmask": False,
        "not_after": until,
        "reason": "scoring of card accounts",
    }
    world["pavel"].post("features", "/v1/grants", body)


def define(world: World) -> Prepared:
    """Anna defines the feature view and the bundle that models pin."""
    anna = world["anna"]
    anna.post("features", "/v1/entities", {"entity": "account", "key": "account_id", "description": "a card account"})
    body = {"name": "account_month", "entity": "account", "event_time": "month", "sql": VIEW_SQL}
    view = anna.post("features", "/v1/views", body)["facts"][0]["data"]
    made = anna.post("features", "/v1/bundles", {"name": "cards", "features": [{"view_id": view["view_id"]}]})
    bundle = made["facts"][0]["data"]
    shown = anna.post(
        "features",
        "/v1/queries",
        {"sql": "SELECT full_name, email FROM people ORDER BY account_id LIMIT 1"},
        purpose=PURPOSE,
    )
    first = shown["rows"][0]
    value = first[0] if isinstance(first, list) else first["full_name"]
    clear = pq.read_table(DATA / "synthetic_people.parquet")["full_name"][0].as_py()
    assert value != clear, "a personal column came unmasked"
    world.tell("Anna", f"feature view of {len(FEATURES)} features; a full name reads {str(value)[:18]}...")
    return Prepared(view_id=view["view_id"], bundle_id=bundle["bundle_id"])


def training_set(world: World, prepared: Prepared, month: str) -> tuple[str, Any]:
    """A point-in-time set of one month, built, verified and fetched: its id and the Arrow table."""
    anna = world["anna"]
    spine = f"SELECT account_id, month AS as_of, label, sex FROM panel WHERE month = DATE '{month}'"
    body = {"name": f"cards {month[:7]}", "bundle_id": prepared.bundle_id, "spine_sql": spine}
    built = anna.post("features", "/v1/datasets", body, purpose=PURPOSE)
    fact = next(one["data"] for one in built["facts"] if one["type"].startswith("features.dataset."))
    dataset_id = fact["dataset_id"]
    anna.post("features", f"/v1/datasets/{dataset_id}/verify")
    answer = anna.send("GET", "features", f"/v1/datasets/{dataset_id}/data", purpose=PURPOSE)
    return dataset_id, pq.read_table(io.BytesIO(answer.content))


def snooping(world: World) -> tuple[Problem, str]:
    """Oleg, who has no grant, asks for names in clear; the denial and where the chronicle keeps it."""
    question = {"sql": "SELECT full_name FROM people", "unmask": ["people.full_name"]}
    problem = world["oleg"].refused("POST", "features", "/v1/queries", json=question, purpose=PURPOSE)
    assert problem.status == 403, problem
    wanted = problem.document["authorization_id"]
    facts = world["irina"].send("GET", "features", "/v1/ledgers/access/facts?after=0&limit=10000").text.splitlines()
    for line in facts:
        record = json.loads(line)
        if record["type"] == "access.authorization.denied" and wanted in record["data"]:
            return problem, f"access/{record['position']}"
    raise AssertionError("the denial is not in the chronicle")
