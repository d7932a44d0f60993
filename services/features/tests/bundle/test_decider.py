"""Bundles in versions."""

from letopis.common.testing.decider import given
from letopis.features.bundle.decider import (
    BUNDLE,
    BundleEmpty,
    BundleUnchanged,
    EntitiesDiffer,
    FeatureTwice,
    RegisterBundle,
)
from letopis.features.bundle.events import BundleFeature, BundleRegistered


def feature(name, view_id="behaviour.1"):
    return BundleFeature(name=name, view_id=view_id, feature=name, type="DOUBLE", cls="confidential", kind="")


def registered(number, *features):
    return BundleRegistered(
        bundle_id=f"credit.{number}",
        name="credit",
        number=number,
        entity="account",
        key="account_id",
        features=features,
        owner="anna",
    )


def register(*features, entities=frozenset({("account", "account_id")})):
    return RegisterBundle(name="credit", entities=entities, features=features, owner="anna")


def test_numbers_versions():
    first = registered(1, feature("bill"))
    given(BUNDLE).when(register(feature("bill"))).then(first)
    given(BUNDLE, first).when(register(feature("paid"))).then(registered(2, feature("paid")))
    given(BUNDLE, first).when(register(feature("bill"))).refused(BundleUnchanged)


def test_names_each_feature_once():
    given(BUNDLE).when(register(feature("bill"), feature("bill", "other.1"))).refused(FeatureTwice)


def test_is_about_one_entity():
    two = frozenset({("account", "account_id"), ("client", "client_id")})
    given(BUNDLE).when(register(feature("bill"), entities=two)).refused(EntitiesDiffer)


def test_has_features():
    given(BUNDLE).when(register()).refused(BundleEmpty)
