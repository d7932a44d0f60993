"""Acts: models trained in MLflow from a point-in-time set, saved in safe formats, registered with all their parts."""

import logging
import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from e2e.journey.data import FEATURES, Prepared
from e2e.journey.world import World

from letopis.sdk.saving import skops_bytes

MODEL = "cards-default"
USE_CASE = "card-limits"
PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "skops", "xgboost")
INPUTS = [
    {"name": name, "type": "long" if name in {"status", "age"} else "double", "required": False} for name in FEATURES
]
CUTOFF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained model: its file, quality out of time, and what evidence says of it."""

    flavour: str
    artifact: bytes
    dataset_id: str
    gini: float
    approval_ratio: float
    strongest: str
    run_id: str

    @property
    def path(self) -> str:
        return {"xgboost": "model.json", "sklearn": "model.skops"}[self.flavour]


def arrays(table: Any) -> tuple[Any, Any]:
    """Features as float64 and labels."""
    columns = [table[name].to_numpy(zero_copy_only=False).astype(float) for name in FEATURES]
    return np.column_stack(columns), table["label"].to_numpy(zero_copy_only=False).astype(int)


def fit(flavour: str, table: Any) -> Any:
    """The same data gives the same model, byte for byte."""
    rows, labels = arrays(table)
    if flavour == "xgboost":
        import xgboost

        settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.1, "nthread": 1, "seed": 7}
        matrix = xgboost.DMatrix(rows, label=labels, feature_names=list(FEATURES))
        return xgboost.train(settings, matrix, num_boost_round=120)
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, random_state=7)).fit(rows, labels)


def saved(flavour: str, model: Any) -> bytes:
    if flavour == "xgboost":
        return bytes(model.save_raw("json"))
    return skops_bytes(model)


def predict(flavour: str, model: Any, rows: Any) -> Any:
    if flavour == "xgboost":
        import xgboost

        return model.predict(xgboost.DMatrix(rows, feature_names=list(FEATURES)))
    return model.predict_proba(rows)[:, 1]


def strongest(flavour: str, model: Any) -> str:
    if flavour == "xgboost":
        gains = model.get_score(importance_type="gain")
        return max(gains, key=gains.get)
    weights = np.abs(model[-1].coef_[0])
    return FEATURES[int(weights.argmax())]


def train(world: World, flavour: str, dataset_id: str, table: Any, later: Any) -> Candidate:
    """Fit on one month, judge on a later one, log the run in MLflow."""
    from sklearn.metrics import roc_auc_score

    model = fit(flavour, table)
    rows, labels = arrays(later)
    scores = predict(flavour, model, rows)
    gini = 2 * float(roc_auc_score(labels, scores)) - 1
    accepted = scores < CUTOFF
    sex = later["sex"].to_numpy(zero_copy_only=False)
    rates = [float(accepted[sex == value].mean()) for value in (0, 1)]
    run_id = logged(world, flavour, dataset_id, gini)
    return Candidate(
        flavour=flavour,
        artifact=saved(flavour, model),
        dataset_id=dataset_id,
        gini=gini,
        approval_ratio=min(rates) / max(rates),
        strongest=strongest(flavour, model),
        run_id=run_id,
    )


def logged(world: World, flavour: str, dataset_id: str, gini: float) -> str:
    """The run in the MLflow tracking server of the stack."""
    os.environ |= {"GIT_PYTHON_REFRESH": "quiet", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
    import mlflow

    # Importing it sets its own level.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(world.urls["mlflow"])
    world.until("MLflow", lambda: _answers(world), 60)
    mlflow.set_experiment(MODEL)
    with mlflow.start_run(run_name=f"{flavour} on {dataset_id[:8]}") as run:
        mlflow.log_params({"flavour": flavour, "dataset_id": dataset_id, "features": ",".join(FEATURES)})
        mlflow.log_metric("gini_out_of_time", gini)
    return str(run.info.run_id)


def _answers(world: World) -> bool:
    import httpx

    try:
        return world.http.get(f"{world.urls['mlflow']}/health").status_code == 200
    except httpx.TransportError:
        return False


def register(world: World, candidate: Candidate, prepared: Prepared) -> dict[str, Any]:
    """Upload the artifact and the document, register the version; the receipt's fact."""
    document = upload(world, _document(candidate).encode())
    requirements = [f"{name}=={version(name)}" for name in PACKAGES]
    manifest = {
        "format": "letopis-manifest-v1",
        "model": MODEL,
        "flavour": candidate.flavour,
        "language": "python",
        "artifacts": [
            {"path": candidate.path, "sha256": upload(world, candidate.artifact), "bytes": len(candidate.artifact)}
        ],
        "code": {"commit": commit(), "mlflow_run": candidate.run_id},
        "training_data": [candidate.dataset_id],
        "environment": {
            "digest": sha256("\n".join(requirements).encode()).hexdigest(),
            "python": "3.11",
            "requirements": requirements,
        },
        "signature": {"inputs": INPUTS, "outputs": [{"name": "score", "type": "double"}]},
        "features": {"bundle": prepared.bundle_id, "entity": "account_id"},
        "monitors": ["contract", "drift", "quality"],
        "reference": {"dataset_id": candidate.dataset_id},
        "cutoff": CUTOFF,
        "owner": "boris",
        "support_owner": "olga",
        "documents": [{"name": "development", "sha256": document}],
    }
    receipt = world["anna"].post("registry", "/v1/versions", {"model_id": MODEL, "manifest": manifest})
    fact: dict[str, Any] = receipt["facts"][0]["data"]
    return fact | {"document": document}


def upload(world: World, content: bytes) -> str:
    sha = sha256(content).hexdigest()
    headers = {"content-type": "application/octet-stream"}
    world["anna"].send("PUT", "registry", f"/v1/artifacts/{sha}", content=content, headers=headers)
    return sha


def commit() -> str:
    """The commit of this checkout, or the digest of this file where there is no repository."""
    folder = Path(__file__).parent
    try:
        told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        return told.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "sha256:" + sha256(Path(__file__).read_bytes()).hexdigest()


def _document(candidate: Candidate) -> str:
    return (
        f"# {MODEL}, {candidate.flavour}\n\nTrained on data set {candidate.dataset_id}, features "
        f"{', '.join(FEATURES)}. Gini out of time {candidate.gini:.4f}. Strongest input {candidate.strongest}.\n"
    )
