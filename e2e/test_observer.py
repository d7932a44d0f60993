"""Observer mode over 60 models of MLflow and 180,000 past scores: every planted defect is found, none is invented."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from e2e.stacks import until

from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import bundle_of, collect
from letopis.registry.observing.__main__ import describe, look

PANEL = Path(__file__).parent / "data" / "credit_panel.parquet"
MODELS = 60
SINCE = "2005-04-01T00:00:00+00:00"
EVIDENCE = {
    1: (
        "documentation",
        "explainability",
        "fairness",
        "out_of_time_quality",
        "reproducible_build",
        "validation_report",
    ),
    2: ("documentation", "explainability", "out_of_time_quality", "reproducible_build"),
    3: ("out_of_time_quality",),
}
# Model by number: what is wrong with it, by which rule it is to be found, and for whom.
PLANTED = {
    3: ("owner", "promotion.parts_missing", "anna"),
    7: ("support_owner", "promotion.parts_missing", "anna"),
    11: ("commit", "promotion.parts_missing", "anna"),
    15: ("monitors", "promotion.parts_missing", "anna"),
    19: ("requirements", "promotion.parts_missing", "anna"),
    23: ("training_data", "promotion.parts_missing", "anna"),
    27: ("evidence", "promotion.evidence_missing", "anna"),
    31: ("use_case", "promotion.use_case_missing", "anna"),
    35: ("approved_by", "promotion.unapproved", "anna"),
    39: ("self", "four_eyes.self_approval", "anna"),
    43: ("pickle", "version.not_registrable", "anna"),
    47: ("self", "four_eyes.self_approval", "anna"),
}
# Drafts are free, whatever they lack.
DRAFTS = {51, 55, 59}
DESCRIPTION = {
    "inputs": [
        {"name": "age", "least": 18, "most": 120},
        {"name": "limit_amount", "least": 0},
        {"name": "utilisation", "nullable": True},
    ],
    "columns": {"decision_id": "id", "caller": "system"},
    "consumers": {f"model-{number:02}": ["lending"] for number in range(MODELS)},
}
# Rows of the panel, far from each other: what is wrong with them.
DEFECTS = {
    "scoring.version_unknown": range(1_000, 1_040),
    "scoring.not_in_use": range(20_000, 20_030),
    "scoring.repeated": range(40_000, 40_025),
    "scoring.no_score": range(60_000, 60_035),
    "scoring.bad_rows": range(80_000, 80_050),
    "input.incomplete": range(100_000, 100_045),
    "consumer.not_granted": range(120_000, 120_020),
}


@pytest.fixture(scope="module")
def mlflow(world):
    """The stack's MLflow with 60 models of which some lack something."""
    url = world.urls["mlflow"]

    def answers():
        try:
            return world.http.get(f"{url}/health").status_code == 200
        except httpx.TransportError:
            return False

    until("MLflow", answers, 120)
    for number in range(MODELS):
        bring(world.http, url, number)
    return url


def bring(http, url, number):
    """One registered model with one version, through MLflow's own API."""

    def post(path, **body):
        answer = http.post(f"{url}/api/2.0/mlflow/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    defect = PLANTED.get(number, ("",))[0]
    tier = number % 3 + 1
    tags = {
        "author": "anna",
        "owner": "boris",
        "support_owner": "oleg",
        "tier": str(tier),
        "use_case": "credit",
        "training_data": "panel-2005-04",
        "environment_digest": "0" * 64,
        "requirements": "numpy>=2" if defect == "requirements" else "numpy==2.4.6, xgboost==3.2.0",
        "monitors": "psi",
        "documents": "d" * 64,
        "approved_by": "anna" if defect == "self" else "boris",
        "used_from": SINCE,
    }
    tags |= {f"evidence.{kind}": "passed" for kind in EVIDENCE[tier]}
    tags.pop("evidence.out_of_time_quality" if defect == "evidence" else defect, None)
    if number in DRAFTS:
        tags = {"author": "anna"}
    of_run = {} if defect == "commit" else {"mlflow.source.git.commit": "c" * 40}
    run = post("runs/create", experiment_id="0", tags=[{"key": key, "value": value} for key, value in of_run.items()])
    info = run["run"]["info"]
    files = ["model/model.json", *(["model/model.pkl"] if defect == "pickle" else [])]
    for file in files:
        root = info["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/")
        kept = http.put(f"{url}/api/2.0/mlflow-artifacts/artifacts/{root}/{file}", content=b"{}")
        assert kept.status_code == 200, kept.text
    name = f"model-{number:02}"
    post("registered-models/create", name=name)
    observed = [{"key": key, "value": value} for key, value in tags.items()]
    source = f"{info['artifact_uri']}/model"
    post("model-versions/create", name=name, source=source, run_id=info["run_id"], tags=observed)
    if number not in DRAFTS:
        answer = http.post(
            f"{url}/api/2.0/mlflow/registered-models/alias",
            json={"name": name, "alias": "champion", "version": "1"},
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The panel as a log of scores, half in Parquet and half in CSV, with planted defects."""
    table = pq.read_table(PANEL, columns=["account_id", "month", "age", "limit_amount", "utilisation"])
    used = [number for number in range(MODELS) if number not in DRAFTS]
    accounts = table.column("account_id").to_pylist()
    columns = {
        "id": [f"d-{row}" for row in range(table.num_rows)],
        "at": [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in table.column("month").to_pylist()],
        "model": [f"model-{used[account % len(used)]:02}" for account in accounts],
        "version": ["1"] * table.num_rows,
        "system": ["lending"] * table.num_rows,
        "purpose": ["credit decisions"] * table.num_rows,
        "score": [(account * 37 % 1000) / 1000 for account in accounts],
        "age": table.column("age").to_pylist(),
        "limit_amount": table.column("limit_amount").to_pylist(),
        "utilisation": table.column("utilisation").to_pylist(),
    }
    plant(columns)
    whole = pa.table(columns)
    folder, half = tmp_path_factory.mktemp("logs"), table.num_rows // 2
    pq.write_table(whole.slice(0, half), folder / "first.parquet")
    pyarrow.csv.write_csv(whole.slice(half), folder / "second.csv")
    return [folder / "first.parquet", folder / "second.csv"], whole


def plant(columns):
    for row in DEFECTS["scoring.version_unknown"]:
        columns["version"][row] = "9"
    for row in DEFECTS["scoring.not_in_use"]:
        columns["at"][row] = datetime(2005, 3, 31, 12, tzinfo=UTC)
    for row in DEFECTS["scoring.repeated"]:
        columns["id"][row] = columns["id"][row - 100]
    for at, row in enumerate(DEFECTS["scoring.no_score"]):
        columns["score"][row] = (None, float("nan"), 1.5, -0.1, float("inf"))[at % 5]
    for at, row in enumerate(DEFECTS["scoring.bad_rows"]):
        name, value = (("age", None), ("age", 7), ("limit_amount", -1.0), ("limit_amount", None))[at % 4]
        columns[name][row] = value
    for row in DEFECTS["input.incomplete"]:
        columns["purpose"][row] = ""
    for row in DEFECTS["consumer.not_granted"]:
        columns["system"][row] = "marketing"


@pytest.fixture(scope="module")
def observed(world, mlflow, logs):
    engine = Engine(bundle_of(collect()))
    before = everything(world.http, mlflow)
    found = look(world.http, mlflow, logs[0], describe(DESCRIPTION), engine)
    engine.close()
    assert everything(world.http, mlflow) == before, "observing changes nothing"
    return found


def everything(http, url):
    api = f"{url}/api/2.0/mlflow"
    paths = ("registered-models/search", "model-versions/search")
    return [http.get(f"{api}/{path}", params={"max_results": 500}).json() for path in paths]


def test_every_planted_model_is_found_with_its_rule_and_person_and_none_is_invented(observed):
    """60 models, 12 planted defects, 3 drafts."""
    found = {(one["what"], one["rule"], one["whom"]) for one in observed["findings"] if one["what"].endswith("/1")}
    of_models = {one for one in found if not one[1].startswith(("scoring.", "input.", "consumer."))}
    assert of_models == {(f"model-{number:02}/1", rule, whom) for number, (_, rule, whom) in PLANTED.items()}
    assert (observed["versions"], observed["versions_in_use"]) == (MODELS, MODELS - len(DRAFTS))


def test_every_planted_score_is_found_with_its_rule_and_caller_and_none_is_invented(observed, logs):
    """180,000 decisions, 245 of them planted with one defect each."""
    assert observed["decisions"] == 180_000
    counts = Counter()
    whom = {}
    for one in observed["findings"]:
        if one["rule"] in DEFECTS:
            counts[one["rule"]] += one["count"]
            whom.setdefault(one["rule"], set()).add(one["whom"])
            assert one["owner"]
            assert one["remedy"]
    assert counts == {rule: len(rows) for rule, rows in DEFECTS.items()}
    assert {rule: those for rule, those in whom.items() if those != {"lending"}} == {
        "consumer.not_granted": {"marketing"}
    }
    assert set(observed["by_rule"]) == set(DEFECTS) | {rule for _, rule, _ in PLANTED.values()}
    ids = {rule: {logs[1].column("id")[row].as_py() for row in rows} for rule, rows in DEFECTS.items()}
    for one in observed["findings"]:
        if one["rule"] in DEFECTS:
            assert set(one["examples"]) <= ids[one["rule"]]
