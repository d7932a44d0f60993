"""What is in force is a function of the rooms and of the facts, and the installed bundle is exactly that."""

import json
from pathlib import Path

import pytest

from letopis.common.policy.bundle import new_key, public_half, verify_bundle
from letopis.common.policy.sources import bundle_of, collect
from letopis.registry.policy_release import composing
from letopis.registry.policy_release.decider import Releases
from letopis.registry.policy_release.events import PolicyPublished
from letopis.registry.policy_release.reactions import ARCHIVE, RELEASE, InstallPolicy

CAP = "settings/registry/session/cap/cores"


@pytest.fixture(scope="module")
def rooms():
    return tuple(collect())


def published(rooms, changes, base=""):
    state = Releases()
    composed = composing.compose(rooms, state)
    after = composing.compose(rooms, Releases(in_force=_fact(changes, base or composed.base.revision, "")))
    return _fact(changes, base or composed.base.revision, after.in_force.revision)


def _fact(changes, base, revision):
    return PolicyPublished(
        release_id="r1",
        revision=revision,
        base=base,
        follows=base,
        changes=composing.changes_of(changes),
        rehearsal="d" * 64,
        author="pavel",
        published_by="vera",
    )


class TestCompose:
    def test_changes_of_the_release_lie_over_the_rooms(self, rooms):
        fact = published(rooms, {CAP: 16})
        composed = composing.compose(rooms, Releases(in_force=fact))
        assert composed.changes == {CAP: 16}
        assert composed.in_force.revision == fact.revision != composed.base.revision
        (cap,) = (one for one in composing.settings(composed) if one["path"] == CAP)
        assert (cap["value"], cap["written"]) == (16, 64)

    def test_a_change_is_taken_back_by_nothing(self):
        assert composing.on_top({CAP: 16, "a": 1}, {CAP: None, "b": 2}) == {"a": 1, "b": 2}
        assert composing.touched({CAP: 16, "a": 1}, {"a": 1, "b": 2}) == ["b", CAP]

    def test_every_rule_and_action_is_in_the_catalogue(self, rooms):
        composed = composing.compose(rooms, Releases())
        assert len(composing.rules(composed)) == sum(len(room.rules) for room in rooms)
        assert len(composing.actions(composed)) == sum(len(room.actions) for room in rooms)
        fixed = {one["room"] for one in composing.rules(composed) if one["fixed"]}
        assert fixed == {"policy_release"}


class TestInstall:
    @pytest.fixture
    def installing(self, rooms, tmp_path: Path):
        key = tmp_path / "key"
        key.write_bytes(new_key())
        return InstallPolicy(rooms, key, tmp_path / "")

    def test_lays_the_signed_bundle_of_exactly_this_release(self, rooms, installing, tmp_path):
        fact = published(rooms, {CAP: 16})
        installing.install(fact, 7)
        bundle = verify_bundle(tmp_path / ARCHIVE, public_half((tmp_path / "key").read_bytes()))
        assert bundle.revision == fact.revision
        told = json.loads((tmp_path / RELEASE).read_bytes())
        assert (told["changes"], told["position"], told["revision"]) == ({CAP: 16}, 7, fact.revision)

    def test_never_goes_back_and_repeats_itself(self, rooms, installing, tmp_path):
        first, second = published(rooms, {CAP: 16}), published(rooms, {CAP: 8})
        installing.install(second, 9)
        installing.install(first, 7)
        assert json.loads((tmp_path / RELEASE).read_bytes())["revision"] == second.revision
        before = json.loads((tmp_path / RELEASE).read_bytes())
        installing.install(second, 9)
        assert json.loads((tmp_path / RELEASE).read_bytes()) == before

    def test_leaves_a_release_over_other_rooms_alone(self, rooms, installing, tmp_path):
        installing.install(_fact({CAP: 16}, "0" * 64, "1" * 64), 7)
        assert not (tmp_path / ARCHIVE).exists()
        assert bundle_of(rooms).revision != "0" * 64
