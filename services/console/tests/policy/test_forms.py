"""What was typed into the form of policy becomes the changes that it says, and nothing else."""

import pytest

from letopis.console.policy import forms

CORES = {
    "path": "settings/registry/session/cap/cores",
    "label": "Most cores",
    "value": 32,
    "written": 64,
    "schema": {"type": "integer"},
}
KINDS = {
    "path": "settings/registry/promotion/tiers/3/evidence",
    "label": "Evidence",
    "value": ["a", "b"],
    "written": ["a", "b"],
    "schema": {"type": "array"},
}
QUOTAS = {
    "path": "settings/registry/session/quota_of",
    "label": "Quotas",
    "value": {},
    "written": {},
    "schema": {"type": "object"},
}
RULE = {"path": "rules/registry/session/limit.role/mode", "mode": "prevent", "written": "prevent"}
POLICY = {"settings": [CORES, KINDS, QUOTAS], "rules": [RULE]}
AS_IT_WAS = {one["path"]: forms.shown(one["value"]) for one in POLICY["settings"]} | {RULE["path"]: "prevent"}


class TestChanges:
    def test_a_form_as_it_was_changes_nothing(self):
        assert forms.changes(POLICY, AS_IT_WAS) == {}
        assert forms.changes(POLICY, {}) == {}

    def test_what_differs_is_of_its_kind(self):
        typed = AS_IT_WAS | {
            CORES["path"]: " 16 ",
            KINDS["path"]: "a,c ,",
            QUOTAS["path"]: '{"anna": {"cores": 8}}',
            RULE["path"]: "warn",
        }
        assert forms.changes(POLICY, typed) == {
            CORES["path"]: 16,
            KINDS["path"]: ["a", "c"],
            QUOTAS["path"]: {"anna": {"cores": 8}},
            RULE["path"]: "warn",
        }

    def test_what_is_as_the_rooms_wrote_it_is_taken_back(self):
        assert forms.changes(POLICY, AS_IT_WAS | {CORES["path"]: "64"}) == {CORES["path"]: None}

    def test_a_department_gets_its_own(self):
        typed = AS_IT_WAS | {CORES["path"]: "64", "department": "retail"}
        assert forms.changes(POLICY, typed) == {f"overlays/retail/{CORES['path']}": 64}

    @pytest.mark.parametrize("path", [CORES["path"], QUOTAS["path"]])
    def test_what_cannot_be_read_is_told_by_its_label(self, path):
        with pytest.raises(forms.NotReadable, match=r"Most cores|Quotas"):
            forms.changes(POLICY, AS_IT_WAS | {path: "{many"})
