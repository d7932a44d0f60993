"""Policy changes one release after the other, by two persons, and only as somebody saw it rehearsed."""

from dataclasses import replace

import pytest

from letopis.common.testing.decider import given
from letopis.registry.policy_release.decider import (
    RELEASES,
    Draft,
    NothingChanges,
    NotRehearsed,
    Publish,
    Rehearse,
    ReleaseOutdated,
    ReleaseUnknown,
    SelfPublication,
    Withdraw,
)
from letopis.registry.policy_release.events import (
    Change,
    PolicyDrafted,
    PolicyPublished,
    PolicyRehearsed,
    PolicyWithdrawn,
)

BASE, OTHER = "b" * 64, "c" * 64
CHANGES = (Change(path="settings/registry/session/cap/cores", value="16"),)
DRAFTED = PolicyDrafted(
    release_id="r1",
    title="Smaller sessions",
    reason="the machines are full",
    base=BASE,
    follows=BASE,
    after="",
    revision="1" * 64,
    changes=CHANGES,
    author="pavel",
)
REHEARSED = PolicyRehearsed(
    release_id="r1",
    revision="1" * 64,
    follows=BASE,
    stretches=(),
    away=(),
    decisions=9,
    flipped=1,
    sha256="d" * 64,
    key_id="k",
    signature="s",
    rehearsed_by="pavel",
)
PUBLISHED = PolicyPublished(
    release_id="r1",
    revision="1" * 64,
    base=BASE,
    follows=BASE,
    changes=CHANGES,
    rehearsal="d" * 64,
    author="pavel",
    published_by="vera",
)
SECOND = replace(DRAFTED, release_id="r2", revision="2" * 64, author="vera")
PUBLISH = Publish(release_id="r1", base=BASE, rehearsal="d" * 64, published_by="vera")


def drafting(**other: object) -> Draft:
    told = {
        "release_id": "r1",
        "title": "Smaller sessions",
        "reason": "the machines are full",
        "base": BASE,
        "follows": BASE,
        "after": "",
        "revision": "1" * 64,
        "changes": CHANGES,
        "author": "pavel",
    }
    return Draft(**(told | other))


class TestDraft:
    def test_is_written_on_top_of_what_is_in_force(self):
        given(RELEASES).when(drafting()).then(DRAFTED)
        after = replace(SECOND, after="r1", follows="1" * 64)
        command = drafting(release_id="r2", after="r1", follows="1" * 64, revision="2" * 64, author="vera")
        given(RELEASES, DRAFTED, REHEARSED, PUBLISHED).when(command).then(after)

    def test_refuses_to_forget_a_release(self):
        given(RELEASES, DRAFTED, REHEARSED, PUBLISHED).when(drafting(release_id="r2")).refused(ReleaseOutdated)

    def test_refuses_to_change_nothing(self):
        given(RELEASES).when(drafting(revision=BASE)).refused(NothingChanges)


class TestRehearse:
    COMMAND = Rehearse(
        release_id="r1",
        base=BASE,
        stretches=(),
        away=(),
        decisions=9,
        flipped=1,
        sha256="d" * 64,
        key_id="k",
        signature="s",
        rehearsed_by="pavel",
    )

    def test_is_kept_with_the_draft(self):
        given(RELEASES, DRAFTED).when(self.COMMAND).then(REHEARSED)

    def test_refuses_what_is_no_open_draft(self):
        given(RELEASES).when(self.COMMAND).refused(ReleaseUnknown)

    def test_refuses_over_other_rooms(self):
        given(RELEASES, DRAFTED).when(replace(self.COMMAND, base=OTHER)).refused(ReleaseOutdated)


class TestPublish:
    def test_a_second_person_publishes_what_they_saw(self):
        given(RELEASES, DRAFTED, REHEARSED).when(PUBLISH).then(PUBLISHED)

    def test_refuses_the_author(self):
        given(RELEASES, DRAFTED, REHEARSED).when(replace(PUBLISH, published_by="pavel")).refused(SelfPublication)

    @pytest.mark.parametrize("facts", [(DRAFTED,), (DRAFTED, REHEARSED, replace(REHEARSED, sha256="e" * 64))])
    def test_refuses_what_nobody_rehearsed_or_another_rehearsal(self, facts):
        given(RELEASES, *facts).when(PUBLISH).refused(NotRehearsed)

    def test_refuses_over_other_rooms(self):
        given(RELEASES, DRAFTED, REHEARSED).when(replace(PUBLISH, base=OTHER)).refused(ReleaseOutdated)

    def test_refuses_a_draft_that_another_release_overtook(self):
        rehearsed = replace(REHEARSED, release_id="r2")
        facts = DRAFTED, REHEARSED, SECOND, rehearsed, PUBLISHED
        given(RELEASES, *facts).when(replace(PUBLISH, release_id="r2", published_by="boris")).refused(ReleaseOutdated)

    def test_refuses_twice(self):
        given(RELEASES, DRAFTED, REHEARSED, PUBLISHED).when(PUBLISH).refused(ReleaseUnknown)


class TestWithdraw:
    COMMAND = Withdraw(release_id="r1", reason="not needed", withdrawn_by="pavel")

    def test_ends_the_draft(self):
        gone = PolicyWithdrawn(release_id="r1", reason="not needed", withdrawn_by="pavel")
        given(RELEASES, DRAFTED).when(self.COMMAND).then(gone)
        given(RELEASES, DRAFTED, gone).when(PUBLISH).refused(ReleaseUnknown)
