"""`python -m letopis.registry.observing`: report what our rules would have refused, and change nothing."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
from cyclopts import App, Parameter

from letopis.common.errors import LetopisError
from letopis.common.policy.amending import amended
from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import collect
from letopis.registry.observing import mlflow, models, report, scores

app = App(name="letopis.registry.observing", help="What our rules would have refused elsewhere; nothing is changed.")


@app.default
def observe(
    *,
    mlflow_url: Annotated[str, Parameter(name="--mlflow")],
    log: Annotated[list[Path] | None, Parameter(name="--scores")] = None,
    description: Path | None = None,
    changes: Path | None = None,
    out: Path | None = None,
) -> int:
    """Read an MLflow server and logs of past scores (Parquet or CSV), and report.

    Parameters
    ----------
    description
        A JSON file that says how to read the logs: `inputs`, `columns`, `consumers`.
    changes
        A JSON file of policy changes by path, to try what the bank would set.
    out
        Where the whole report goes, as JSON.
    """
    described = describe(json.loads(description.read_bytes()) if description is not None else {})
    bundle = amended(collect(), json.loads(changes.read_bytes()) if changes is not None else {})
    with httpx.Client(timeout=30, trust_env=False) as http:
        told = look(http, mlflow_url, log or [], described, Engine(bundle))
    if out is not None:
        out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", "utf-8")
    for line in report.lines(told):
        print(line)  # noqa: T201 a command line answers
    return 0


def describe(told: dict[str, Any]) -> scores.Described:
    """The description of a log from its JSON."""
    return scores.Described(
        inputs=tuple(scores.Input(**one) for one in told.get("inputs", [])),
        columns=told.get("columns", {}),
        consumers={name: tuple(those) for name, those in told.get("consumers", {}).items()},
    )


def look(
    http: httpx.Client, mlflow_url: str, logs: list[Path], described: scores.Described, engine: Engine
) -> dict[str, Any]:
    """The report."""
    seen = mlflow.read(http, mlflow_url)
    found, rows = list(models.findings(seen, engine)), 0
    for file in logs:
        table = scores.load(file, described)
        rows += table.num_rows
        found += scores.findings(table, described, seen, engine)
    used = sum(one.used_from is not None for one in seen)
    return report.report(len(seen), used, rows, engine.revision, found)


if __name__ == "__main__":
    try:
        sys.exit(app())
    except LetopisError as error:
        sys.exit(f"{error.title}: {error.detail}")
