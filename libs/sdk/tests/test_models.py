"""Describing a model: saved safely, its signature from the data, its environment pinned."""

import json

import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.linear_model import LogisticRegression

from letopis.registry.version.manifest import check, missing, unpinned
from letopis.sdk import models
from letopis.sdk.problems import Invalid


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(
        {
            "limit": [1000, 2000, 3000, 4000] * 5,
            "share": [0.1, None, 0.3, 0.4] * 5,
            "branch": ["a", "b", "a", "b"] * 5,
            "late": [True, False, True, False] * 5,
        }
    )


@pytest.fixture(scope="module")
def numbers(frame):
    return frame[["limit", "share"]].fillna(0.0), np.array([0, 1] * 10)


class TestSaved:
    def test_xgboost_as_its_json(self, numbers):
        fitted = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(*numbers)
        for model in (fitted, fitted.get_booster()):
            flavour, path, data = models.saved(model)
            assert (flavour, path) == ("xgboost", "model.json")
            again = xgboost.Booster()
            again.load_model(bytearray(data))
            assert np.array_equal(again.inplace_predict(numbers[0].to_numpy()), fitted.predict_proba(numbers[0])[:, 1])

    def test_scikit_learn_by_skops(self, numbers):
        fitted = LogisticRegression().fit(*numbers)
        flavour, path, data = models.saved(fitted)
        assert (flavour, path) == ("sklearn", "model.skops")
        again = skops.io.loads(data, trusted=[])
        assert np.array_equal(again.predict_proba(numbers[0]), fitted.predict_proba(numbers[0]))

    @pytest.mark.parametrize("model", [object(), "model.pkl", lambda row: 1])
    def test_nothing_else(self, model):
        with pytest.raises(Invalid, match="pickles are not taken"):
            models.saved(model)


class TestDescribed:
    def test_the_signature_follows_the_data(self, frame):
        assert models.signature_of(frame) == [
            {"name": "limit", "type": "long", "required": True},
            {"name": "share", "type": "double", "required": False},
            {"name": "branch", "type": "string", "required": True},
            {"name": "late", "type": "boolean", "required": True},
        ]
        assert models.signature_of({"x": "double"}) == [{"name": "x", "type": "double", "required": True}]
        with pytest.raises(Invalid):
            models.signature_of([1, 2])

    def test_the_environment_is_pinned_and_its_digest_repeats(self):
        found = models.environment_of(("xgboost", "numpy", "no-such-package"))
        assert f"xgboost=={xgboost.__version__}" in found["requirements"]
        assert len(found["requirements"]) == 2
        assert found == models.environment_of(("numpy", "xgboost"))

    @pytest.mark.parametrize(
        ("name", "slug"), [("Credit Default!", "credit-default"), ("a_b", "a-b"), ("x" * 80, "x" * 63)]
    )
    def test_ids_come_from_names(self, name, slug):
        assert models.slug(name) == slug

    def test_a_name_without_letters_is_refused(self):
        with pytest.raises(Invalid):
            models.slug("!!!")

    def test_the_registry_takes_the_manifest_and_names_what_is_missing(self, numbers):
        posted = {}

        class Registry:
            def put(self, path, data):
                posted[path] = data

            def post(self, path, body):
                check(body["manifest"])
                posted[path] = body
                return {"id": "my-model.1"}

            def get(self, path):
                manifest = posted["/v1/versions"]["manifest"]
                about = {"version_id": "my-model.1", "model_id": "my-model", "number": 1, "digest": "d"}
                return about | {"missing": [f"part {name}" for name in missing(manifest)] + unpinned(manifest)}

        class Client:
            registry = Registry()

        version = models.register(
            LogisticRegression().fit(*numbers), name="My model", inputs=numbers[0], owner="anna", client=Client()
        )
        assert version.missing == [
            "part support_owner",
            "part code",
            "part training_data",
            "part monitors",
            "part documents",
        ]
        assert "lacks part code" in str(version)


class TestFolder:
    @pytest.mark.parametrize("manifest", [None, "{", "[]", "{}"])
    def test_says_what_is_wrong_with_the_manifest(self, tmp_path, manifest):
        if manifest is not None:
            (tmp_path / "manifest.json").write_text(manifest)
        with pytest.raises(Invalid, match=r"manifest\.json"):
            models.register_folder(tmp_path)

    def test_lists_every_file_by_its_digest(self, tmp_path):
        (tmp_path / "manifest.json").write_text(json.dumps({"model": "m", "flavour": "xgboost"}))
        (tmp_path / "model.json").write_text("{}")
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "card.md").write_text("card")
        posted = []

        class Registry:
            def put(self, path, data):
                posted.append((path, data))

            def post(self, path, body):
                posted.append((path, body))
                return {"id": "m.1"}

            def get(self, path):
                return {"version_id": "m.1", "model_id": "m", "number": 1, "digest": "d", "missing": []}

        class Client:
            registry = Registry()

        models.register_folder(tmp_path, Client())
        artifacts = posted[-1][1]["manifest"]["artifacts"]
        assert [(one["path"], one["bytes"]) for one in artifacts] == [("docs/card.md", 4), ("model.json", 2)]
        assert posted[0] == (f"/v1/artifacts/{artifacts[0]['sha256']}", b"card")
