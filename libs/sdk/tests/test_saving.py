"""The same model is the same bytes, in this process and in another, and reads back as the same model."""

import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from letopis.sdk.saving import skops_bytes

ROWS = np.random.default_rng(7).normal(size=(60, 4))
LABELS = (ROWS[:, 0] > 0).astype(int)
MODELS = {
    "logistic": LogisticRegression,
    "pipeline": lambda: make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(handle_unknown="ignore"), [2, 3])]),
        LogisticRegression(),
    ),
    "forest": lambda: RandomForestClassifier(n_estimators=3, random_state=1),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=1),
}


def fitted(name):
    return MODELS[name]().fit(ROWS, LABELS)


class TestSave:
    @pytest.mark.parametrize("name", MODELS)
    def test_reads_back_as_the_same_model(self, name):
        model = fitted(name)
        data = skops_bytes(model)
        again = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        assert np.array_equal(again.predict_proba(ROWS), model.predict_proba(ROWS))
        assert skops_bytes(fitted(name)) == data

    def test_another_process_writes_the_same_bytes(self):
        code = (
            "import numpy as np, sys; from sklearn.linear_model import LogisticRegression; "
            "from letopis.sdk.saving import skops_bytes; from hashlib import sha256; "
            "r = np.random.default_rng(7).normal(size=(60, 4)); "
            "print(sha256(skops_bytes(LogisticRegression().fit(r, (r[:, 0] > 0).astype(int)))).hexdigest())"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        assert told == sha256(skops_bytes(fitted("logistic"))).hexdigest()

    def test_another_model_is_other_bytes(self):
        other = LogisticRegression(C=0.1).fit(ROWS, LABELS)
        assert skops_bytes(other) != skops_bytes(fitted("logistic"))
