"""Models as a function from rows to scores, with the same bits whether a row comes alone or among many.

XGBoost adds the leaves of each row in tree order, alone or in a block. scikit-learn's linear algebra may round
differently for different shapes, so it is always called with blocks of one shape, short ones filled up with copies;
a model that still scores a row differently at another place of the block is called row by row.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from letopis.common.errors import Invalid

Matrix = NDArray[np.float64]
BLOCK = 64
PROBES = 24

# Types beyond skops' own list that a model file may hold. Compiled trees are not among them yet: a crafted one
# reads memory outside its arrays.
ALLOWED = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
    }
)


class Unservable(Invalid):
    """The model file cannot be served."""

    code = "scoring.unservable"
    title = "The model cannot be served"


class Scorer(Protocol):
    """A loaded model."""

    @property
    def takes_missing(self) -> bool:
        """Whether rows may have missing values."""
        ...

    def score(self, rows: Matrix) -> NDArray[np.float64]:
        """One score a row; the rows are float64 in the order of the signature."""
        ...

    def contributions(self, rows: Matrix) -> Matrix | None:
        """How much each input moves each row's margin (log-odds); None if the model has no exact answer."""
        ...


@dataclass(frozen=True, slots=True)
class XGBoostScorer:
    """An XGBoost booster read from its JSON."""

    booster: Any
    takes_missing: bool = True

    def score(self, rows: Matrix) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self.booster.inplace_predict(rows, missing=np.nan).astype(np.float64)
        return scores

    def contributions(self, rows: Matrix) -> Matrix | None:
        import xgboost

        told: Matrix = self.booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
        return told[:, :-1].astype(np.float64)


@dataclass(frozen=True, slots=True)
class SklearnScorer:
    """A scikit-learn estimator read by skops; the probability of the second class, or the prediction."""

    estimator: Any
    block: int
    takes_missing: bool

    def score(self, rows: Matrix) -> NDArray[np.float64]:
        return blockwise(self.estimator, rows, self.block)

    def contributions(self, rows: Matrix) -> Matrix | None:
        steps = [step for _, step in getattr(self.estimator, "steps", [("", self.estimator)])]
        coefficients = getattr(steps[-1], "coef_", None)
        if coefficients is None or len(np.atleast_2d(coefficients)) != 1:
            return None
        seen = rows
        for step in steps[:-1]:
            if type(step).__name__ not in {"StandardScaler", "MinMaxScaler", "RobustScaler", "SimpleImputer"}:
                return None
            seen = np.asarray(step.transform(seen), dtype=np.float64)
        if seen.shape != rows.shape:
            return None
        told: Matrix = seen * np.atleast_2d(coefficients)
        return told


def load_xgboost(data: bytes, names: Sequence[str]) -> Scorer:
    """The scorer of an XGBoost JSON model; Unservable if it is none, or speaks of other inputs."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(data))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise Unservable(f"model.json is no XGBoost model: {str(error).splitlines()[0]}") from None
    if booster.feature_names and list(booster.feature_names) != list(names):
        raise Unservable("the model was trained on other inputs, or in another order, than its signature says")
    if booster.num_features() != len(names):
        raise Unservable(f"the model takes {booster.num_features()} inputs, its signature names {len(names)}")
    if "c" in (booster.feature_types or []):
        raise Unservable("categorical inputs of XGBoost are not served yet; encode them as numbers in training")
    booster.feature_names = None
    booster.feature_types = None
    return _tried(XGBoostScorer(booster), len(names))


def load_sklearn(data: bytes, names: Sequence[str]) -> Scorer:
    """The scorer of a skops file; nothing outside the allow-list is ever constructed."""
    import skops.io

    try:
        strange = sorted(set(skops.io.get_untrusted_types(data=data)) - ALLOWED)
    except Exception as error:  # noqa: BLE001 the file is a stranger's; whatever it causes means: not served
        raise Unservable(f"model.skops cannot be read: {error}") from None
    if strange:
        raise Unservable(f"model.skops holds types that are not allowed: {', '.join(strange)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            estimator = skops.io.loads(data, trusted=sorted(ALLOWED))
    except Exception as error:  # noqa: BLE001 as above
        raise Unservable(f"model.skops cannot be read: {error}") from None
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and list(known) != list(names):
        raise Unservable("the model was trained on other inputs, or in another order, than its signature says")
    for step in [estimator, *(step for _, step in getattr(estimator, "steps", []))]:
        # Rows come as plain numbers in checked order; with names inside, scikit-learn warns at every call.
        vars(step).pop("feature_names_in_", None)
        if hasattr(step, "n_jobs"):
            step.n_jobs = 1
    missing = _takes_missing(estimator, len(names))
    block = BLOCK if steady(estimator, len(names)) else 1
    return _tried(SklearnScorer(estimator, block, missing), len(names))


def blockwise(estimator: Any, rows: Matrix, block: int) -> NDArray[np.float64]:
    """Scores of rows, the estimator called with exactly `block` rows each time."""
    scores = np.empty(len(rows), dtype=np.float64)
    for start in range(0, len(rows), block):
        piece = rows[start : start + block]
        full = piece if len(piece) == block else np.vstack([piece, np.repeat(piece[-1:], block - len(piece), axis=0)])
        if hasattr(estimator, "predict_proba"):
            told = estimator.predict_proba(full)
            if told.shape[1] != 2:
                raise Unservable(f"the model tells {told.shape[1]} classes; one score a row is served")
            told = told[:, 1]
        else:
            told = estimator.predict(full)
        scores[start : start + block] = np.asarray(told, dtype=np.float64)[: len(piece)]
    return scores


def steady(estimator: Any, width: int) -> bool:
    """Whether a row's score has the same bits at every place of a block."""
    probes = np.random.default_rng(20261121).normal(size=(PROBES, width)) * np.logspace(0, 5, PROBES)[:, None]
    alone = np.array([blockwise(estimator, probe[None, :], BLOCK)[0] for probe in probes])
    for shift in range(BLOCK):
        mixed = np.resize(np.roll(probes, shift, axis=0), (BLOCK, width))
        expected = np.resize(np.roll(alone, shift), BLOCK)
        if not np.array_equal(blockwise(estimator, mixed, BLOCK), expected, equal_nan=True):
            return False
    return True


def _takes_missing(estimator: Any, width: int) -> bool:
    try:
        blockwise(estimator, np.full((1, width), np.nan), BLOCK)
    except Unservable:
        raise
    except ValueError:
        return False
    return True


def _tried(scorer: Scorer, width: int) -> Scorer:
    """One probe through the loaded model: it gives one finite score a row, or it does not load."""
    scores = scorer.score(np.zeros((3, width)))
    if scores.shape != (3,) or not np.all(np.isfinite(scores)):
        raise Unservable("the model does not give one finite score a row")
    return scorer
