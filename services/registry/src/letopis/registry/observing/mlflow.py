"""An MLflow tracking server read over its REST API by GET alone, so that nothing there can change.

Tags say what MLflow has no field for: `owner`, `support_owner`, `tier`, `use_case`, `approved_by`, `training_data`,
`monitors`, `documents`, `requirements` (separated by commas), `environment_digest`, `used_from` (a time), and
`evidence.<kind>` = passed.
They are looked for on the version, then on its model, then on the run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from letopis.common.errors import Unavailable

API = "/api/2.0/mlflow"
PAGE = 500
IN_USE = {"Production"}
CHAMPIONS = {"champion", "production"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A version as MLflow tells it. `used_from` is None for one that was never put to use."""

    model: str
    version: str
    author: str
    created_at: datetime
    used_from: datetime | None
    tags: Mapping[str, str]
    commit: str
    artifacts: tuple[str, ...]


def read(http: httpx.Client, url: str) -> list[Seen]:
    """Every version of every registered model; Unavailable if the server does not tell."""
    models = {one["name"]: one for one in _pages(http, url, "registered-models/search", "registered_models")}
    champions = {
        (name, str(alias["version"]))
        for name, model in models.items()
        for alias in model.get("aliases", [])
        if alias["alias"] in CHAMPIONS
    }
    return [
        _seen(http, url, models[one["name"]], one, champions)
        for one in _pages(http, url, "model-versions/search", "model_versions")
    ]


def _seen(
    http: httpx.Client, url: str, model: Mapping[str, Any], one: Mapping[str, Any], champions: set[tuple[str, str]]
) -> Seen:
    run: Mapping[str, Any] = {}
    files: tuple[str, ...] = ()
    if one.get("run_id"):
        run = _get(http, url, "runs/get", run_id=one["run_id"])["run"]["data"]
        files = tuple(sorted(_files(http, url, str(one["run_id"]), "")))
    of_run, of_model, own = (_tags(source) for source in (run, model, one))
    used = one.get("current_stage") in IN_USE or (one["name"], str(one["version"])) in champions
    return Seen(
        model=one["name"],
        version=str(one["version"]),
        author=own.get("author") or str(one.get("user_id") or "") or of_run.get("mlflow.user", ""),
        created_at=_moment(one["creation_timestamp"]),
        # MLflow keeps no history of stages: without a tag a version counts from its creation, so nothing is invented.
        used_from=_since(own, one) if used else None,
        tags={**of_run, **of_model, **own},
        commit=of_run.get("mlflow.source.git.commit", ""),
        artifacts=files,
    )


def _files(http: httpx.Client, url: str, run_id: str, path: str) -> Iterator[str]:
    told = _get(http, url, "artifacts/list", run_id=run_id, **({"path": path} if path else {}))
    for one in told.get("files", []):
        if one.get("is_dir"):
            yield from _files(http, url, run_id, one["path"])
        else:
            yield one["path"]


def _pages(http: httpx.Client, url: str, path: str, name: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        told = _get(http, url, path, max_results=PAGE, **({"page_token": token} if token else {}))
        yield from told.get(name, [])
        token = told.get("next_page_token", "")
        if not token:
            return


def _get(http: httpx.Client, url: str, path: str, /, **query: Any) -> dict[str, Any]:
    try:
        answer = http.get(f"{url.rstrip('/')}{API}/{path}", params=query)
    except httpx.HTTPError as error:
        raise Unavailable(f"MLflow at {url} cannot be reached") from error
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"MLflow at {url} answered {answer.status_code} to {path}")
    told: dict[str, Any] = answer.json()
    return told


def _tags(source: Mapping[str, Any]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in source.get("tags", [])}


def _since(tags: Mapping[str, str], one: Mapping[str, Any]) -> datetime:
    if stated := tags.get("used_from"):
        moment = datetime.fromisoformat(stated)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _moment(one["creation_timestamp"])


def _moment(milliseconds: int | str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
