"""Models decide: numbers go up, the same bundle keeps its number."""

from letopis.common.testing.decider import given
from letopis.registry.model.decider import (
    MODEL,
    AssignUseCase,
    ModelExists,
    ModelUnknown,
    NumberVersion,
    RegisterModel,
)
from letopis.registry.model.events import ModelRegistered, UseCaseAssigned, VersionNumbered

REGISTER = RegisterModel(model_id="credit", name="Credit", owner="anna", description="")
REGISTERED = ModelRegistered(model_id="credit", name="Credit", owner="anna", description="")
FIRST = VersionNumbered(model_id="credit", version_id="credit.1", number=1, digest="aa")


class TestModel:
    def test_is_registered_once(self):
        given(MODEL).when(REGISTER).then(REGISTERED)
        given(MODEL, REGISTERED).when(REGISTER).refused(ModelExists)

    def test_is_tied_to_a_use_case(self):
        assigned = UseCaseAssigned(model_id="credit", use_case_id="cards")
        given(MODEL, REGISTERED).when(AssignUseCase(use_case_id="cards")).then(assigned)
        given(MODEL, REGISTERED, assigned).when(AssignUseCase(use_case_id="cards")).then()

    def test_numbers_bundles(self):
        given(MODEL, REGISTERED).when(NumberVersion(digest="aa")).then(FIRST)
        given(MODEL, REGISTERED, FIRST).when(NumberVersion(digest="bb")).then(
            VersionNumbered(model_id="credit", version_id="credit.2", number=2, digest="bb")
        )

    def test_the_same_bundle_keeps_its_number(self):
        given(MODEL, REGISTERED, FIRST).when(NumberVersion(digest="aa")).then()

    def test_refuses_for_no_model(self):
        given(MODEL).when(NumberVersion(digest="aa")).refused(ModelUnknown)
