"""Views in versions."""

from letopis.common.testing.decider import given
from letopis.features.view.decider import (
    VIEW,
    FeaturesMissing,
    RegisterView,
    TimesMissing,
    TimeToLiveWrong,
    UnclassifiedInput,
    ViewUnchanged,
    split_id,
)
from letopis.features.view.events import ViewFeature, ViewRegistered

BILL = ViewFeature(name="bill", type="DOUBLE", cls="confidential", kind="", lineage=("panel.bill",))
FIELDS = {
    "name": "behaviour",
    "entity": "account",
    "key": "account_id",
    "event_time": "happened",
    "known_time": None,
    "ttl_seconds": None,
    "sql": "SELECT ...",
    "sql_hash": "a" * 64,
    "reads": {"panel": ("account_id", "bill", "month")},
    "features": (BILL,),
    "owner": "anna",
    "description": "",
}
FIRST = ViewRegistered(view_id="behaviour.1", number=1, **FIELDS)


def register(**changed):
    return RegisterView(**(FIELDS | {"outputs": ("account_id", "happened", "bill")} | changed))


class TestRegister:
    def test_numbers_versions(self):
        given(VIEW).when(register()).then(FIRST)
        second = ViewRegistered(view_id="behaviour.2", number=2, **(FIELDS | {"sql_hash": "b" * 64}))
        given(VIEW, FIRST).when(register(sql_hash="b" * 64)).then(second)

    def test_the_same_again_is_no_version(self):
        given(VIEW, FIRST).when(register(sql="select ...", description="better words")).refused(ViewUnchanged)

    def test_gives_key_and_times(self):
        given(VIEW).when(register(outputs=("happened", "bill"))).refused(TimesMissing)
        given(VIEW).when(register(event_time="account_id")).refused(TimesMissing)
        given(VIEW).when(register(known_time="known")).refused(TimesMissing)

    def test_gives_features(self):
        given(VIEW).when(register(features=())).refused(FeaturesMissing)

    def test_lives_some_time(self):
        given(VIEW).when(register(ttl_seconds=0)).refused(TimeToLiveWrong)

    def test_passes_on_nothing_unclassified(self):
        unknown = ViewFeature(name="x", type="DOUBLE", cls="restricted", kind="", lineage=("panel.x",))
        given(VIEW).when(register(features=(BILL, unknown))).refused(UnclassifiedInput)


def test_ids_name_versions():
    assert split_id("behaviour.12") == ("behaviour", 12)
    assert split_id("behaviour") == ("behaviour", 0)
    assert split_id(".3") == (".3", 0)
