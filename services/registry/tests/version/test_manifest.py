"""Manifests: what no version may be, what production lacks, and a digest that names the bundle."""

import pytest

from letopis.common.errors import Invalid
from letopis.registry.version.manifest import check, digest_of, missing, statement, unpinned

ARTIFACT = {"path": "model.json", "sha256": "a" * 64, "bytes": 3}
DRAFT = {
    "format": "letopis-manifest-v1",
    "model": "credit",
    "flavour": "xgboost",
    "artifacts": [ARTIFACT],
    "signature": {
        "inputs": [{"name": "bill", "type": "double", "required": True}],
        "outputs": [{"name": "score", "type": "double"}],
    },
}
WHOLE = DRAFT | {
    "language": "python",
    "owner": "boris",
    "support_owner": "olga",
    "code": {"commit": "c0ffee"},
    "training_data": ["d1"],
    "environment": {"digest": "e" * 64, "python": "3.11", "requirements": ["xgboost==3.2.0"]},
    "monitors": ["m"],
    "documents": [{"sha256": "b" * 64}],
}


class TestCheck:
    def test_a_draft_is_free(self):
        check(DRAFT)

    @pytest.mark.parametrize(
        "change",
        [
            {"format": "other"},
            {"flavour": "pickle"},
            {"artifacts": []},
            {"artifacts": [{"path": "model.json"}]},
            {"artifacts": [ARTIFACT | {"path": "/etc/passwd"}]},
            {"artifacts": [ARTIFACT | {"path": "../model.json"}]},
            {"artifacts": [ARTIFACT, ARTIFACT]},
            {"artifacts": [ARTIFACT | {"path": "weights.bin"}]},
            {"artifacts": [ARTIFACT, ARTIFACT | {"path": "model.pkl"}]},
            {"artifacts": [ARTIFACT, ARTIFACT | {"path": "train.ipynb"}]},
            {"signature": None},
            {"signature": {"inputs": [], "outputs": []}},
            {"signature": {"inputs": [{"name": "x", "type": "tensor"}], "outputs": [{"name": "y", "type": "double"}]}},
        ],
        ids=repr,
    )
    def test_names_what_no_version_may_be(self, change):
        with pytest.raises(Invalid) as refused:
            check(DRAFT | change)
        assert len(refused.value.detail) > 20


class TestMissing:
    def test_a_whole_bundle_lacks_nothing(self):
        assert missing(WHOLE) == []

    @pytest.mark.parametrize("part", [name for name in WHOLE if name not in DRAFT])
    def test_every_part_counts(self, part):
        lacking = {name: value for name, value in WHOLE.items() if name != part}
        assert missing(lacking) == [part]

    def test_unpinned_requirements_are_named(self):
        loose = WHOLE | {"environment": {"requirements": ["xgboost>=3", "numpy==2.4.6"]}}
        assert unpinned(loose) == ["xgboost>=3"]


class TestDigest:
    def test_the_same_input_builds_the_same_digest(self):
        assert digest_of(WHOLE) == digest_of(dict(reversed(WHOLE.items())))

    def test_golden(self):
        assert digest_of(DRAFT) == "a68f15d28cf7b5b3b4ee7013bb1bafbb4da2919b57a9281ea2e123fd8527bd68"
        assert statement("ab") == b"letopis-version-v1\nab"
