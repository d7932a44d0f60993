"""Models: the same bits alone or among many, the library itself as judge, and nothing strange ever loaded."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from letopis.inference.scoring.model import Unservable, load_sklearn, load_xgboost

NAMES = [f"x{number}" for number in range(6)]
ROWS = np.random.default_rng(3).normal(size=(700, 6)) * [1, 10, 100, 1000, 1e4, 1e5]
LABEL = (ROWS[:, 0] + np.random.default_rng(4).normal(size=700) > 0).astype(int)


def skops_of(estimator: Any) -> bytes:
    import skops.io

    data: bytes = skops.io.dumps(estimator)
    return data


def logistic(*steps: Any) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(*steps, StandardScaler(), LogisticRegression()).fit(ROWS, LABEL)


def booster(**options: Any) -> Any:
    import xgboost

    parameters = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1} | options
    return xgboost.train(parameters, xgboost.DMatrix(ROWS, label=LABEL, feature_names=NAMES), 30)


class TestSklearn:
    def test_scores_as_the_library_does_with_the_same_bits_in_any_company(self) -> None:
        """C18, for linear algebra: shapes round differently, so every call has one shape."""
        estimator = logistic()
        scorer = load_sklearn(skops_of(estimator), NAMES)
        together = scorer.score(ROWS)
        alone = np.array([scorer.score(row[None, :])[0] for row in ROWS])
        some = np.concatenate([scorer.score(ROWS[start : start + 37]) for start in range(0, 700, 37)])
        assert together.tobytes() == alone.tobytes() == some.tobytes()
        assert np.abs(estimator.predict_proba(ROWS)[:, 1] - together).max() < 1e-12

    def test_knows_whether_it_takes_missing_values(self) -> None:
        from sklearn.impute import SimpleImputer

        assert not load_sklearn(skops_of(logistic()), NAMES).takes_missing
        assert load_sklearn(skops_of(logistic(SimpleImputer())), NAMES).takes_missing

    def test_contributions_add_up_to_the_margin(self) -> None:
        estimator = logistic()
        told = load_sklearn(skops_of(estimator), NAMES).contributions(ROWS)
        assert told is not None
        margin = estimator.decision_function(ROWS)
        assert np.allclose(told.sum(axis=1) + estimator[-1].intercept_[0], margin, atol=1e-9)

    def test_a_type_outside_the_list_is_never_constructed(self) -> None:
        from sklearn.ensemble import RandomForestClassifier

        with pytest.raises(Unservable, match="not allowed"):
            load_sklearn(skops_of(RandomForestClassifier(3).fit(ROWS, LABEL)), NAMES)

    @pytest.mark.parametrize("spoil", [lambda data: data[:100], lambda _: b"", lambda _: b"\x80\x04K\x01."])
    def test_what_is_no_skops_file_is_refused(self, spoil: Callable[[bytes], bytes]) -> None:
        with warnings.catch_warnings(), pytest.raises(Unservable):
            load_sklearn(spoil(skops_of(logistic())), NAMES)

    def test_names_in_another_order_are_refused(self) -> None:
        import pandas as pd
        from sklearn.linear_model import LogisticRegression

        named = LogisticRegression().fit(pd.DataFrame(ROWS / ROWS.std(axis=0), columns=NAMES), LABEL)
        with pytest.raises(Unservable, match="another order"):
            load_sklearn(skops_of(named), NAMES[::-1])
        assert load_sklearn(skops_of(named), NAMES).score(ROWS[:2]).shape == (2,)


class TestXGBoost:
    def test_scores_as_the_library_does_with_the_same_bits_in_any_company(self) -> None:
        """C18: missing values and infinities of float32 included."""
        import xgboost

        model = booster()
        scorer = load_xgboost(bytes(model.save_raw("json")), NAMES)
        rows = np.where(np.random.default_rng(5).random(ROWS.shape) < 0.2, np.nan, ROWS)
        together = scorer.score(rows)
        assert together.tobytes() == np.array([scorer.score(row[None, :])[0] for row in rows]).tobytes()
        judge = model.predict(xgboost.DMatrix(rows, feature_names=NAMES)).astype(np.float64)
        assert together.tobytes() == judge.tobytes()

    def test_contributions_add_up_to_the_margin(self) -> None:
        import xgboost

        model = booster()
        told = load_xgboost(bytes(model.save_raw("json")), NAMES).contributions(ROWS)
        whole = model.predict(xgboost.DMatrix(ROWS, feature_names=NAMES), pred_contribs=True)
        assert told is not None
        margin = model.predict(xgboost.DMatrix(ROWS, feature_names=NAMES), output_margin=True)
        assert np.allclose(told.sum(axis=1) + whole[:, -1], margin, atol=1e-3)

    def test_refuses_other_names_other_widths_and_many_classes(self) -> None:
        raw = bytes(booster().save_raw("json"))
        with pytest.raises(Unservable, match="other inputs"):
            load_xgboost(raw, NAMES[::-1])
        with pytest.raises(Unservable, match="other inputs"):
            load_xgboost(raw, NAMES[:-1])
        classes = booster(objective="multi:softprob", num_class=3)
        with pytest.raises(Unservable, match="one finite score"):
            load_xgboost(bytes(classes.save_raw("json")), NAMES)

    def test_what_is_no_model_is_refused(self) -> None:
        with pytest.raises(Unservable):
            load_xgboost(b'{"learner": 3}', NAMES)
