"""Production of a model: in, in again, back."""

from letopis.common.testing.decider import given
from letopis.registry.production.decider import (
    PRODUCTION,
    EnterProduction,
    NothingBefore,
    NotInProduction,
    RollBack,
)
from letopis.registry.production.events import ProductionEntered, ProductionRolledBack


def entered(number, replaces=None):
    return ProductionEntered(
        model_id="m",
        version_id=f"m.{number}",
        version_digest=f"d{number}",
        promotion_id=f"p{number}",
        replaces=replaces,
    )


def enter(number):
    return EnterProduction(
        model_id="m", version_id=f"m.{number}", version_digest=f"d{number}", promotion_id=f"p{number}"
    )


BACK = RollBack(model_id="m", from_version_id=None, reason="alert", by="boris")
ROLLED = ProductionRolledBack(
    model_id="m", from_version_id="m.2", to_version_id="m.1", to_version_digest="d1", reason="alert", by="boris"
)


class TestEnter:
    def test_the_first(self):
        given(PRODUCTION).when(enter(1)).then(entered(1))

    def test_the_next_names_what_it_replaces(self):
        given(PRODUCTION, entered(1)).when(enter(2)).then(entered(2, "m.1"))

    def test_the_same_promotion_enters_once(self):
        given(PRODUCTION, entered(1)).when(enter(1)).then()


class TestRollBack:
    def test_returns_to_the_version_before(self):
        given(PRODUCTION, entered(1), entered(2, "m.1")).when(BACK).then(ROLLED)

    def test_refuses_with_nothing_before(self):
        given(PRODUCTION, entered(1)).when(BACK).refused(NothingBefore)
        given(PRODUCTION, entered(1), entered(2, "m.1"), ROLLED).when(BACK).refused(NothingBefore)

    def test_refuses_from_another_version_than_the_one_in_production(self):
        command = RollBack(model_id="m", from_version_id="m.1", reason="", by="boris")
        given(PRODUCTION, entered(1), entered(2, "m.1")).when(command).refused(NotInProduction)
