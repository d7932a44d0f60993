"""All releases of policy, one after the other: only one is in force, and each is built upon the one before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import Refused
from letopis.registry.policy_release.events import (
    FACTS,
    Change,
    PolicyDrafted,
    PolicyPublished,
    PolicyRehearsed,
    PolicyReleaseFact,
    PolicyWithdrawn,
    Stretch,
)

# All releases are one stream: which one is in force is decided in it.
ALL = "all"


class ReleaseUnknown(Refused):
    """It was never drafted, or it is published or withdrawn already."""

    code = "policy_release.unknown"
    title = "There is no such open draft of policy"
    status = 404


class ReleaseOutdated(Refused):
    """Another release was published since, or other rooms are installed."""

    code = "policy_release.outdated"
    title = "The policy in force changed since the draft was written; write it again on top of what is in force"


class NothingChanges(Refused):
    """The draft is the policy in force."""

    code = "policy_release.nothing_changes"
    title = "The draft changes nothing of the policy in force"


class NotRehearsed(Refused):
    """It was not rehearsed, or somebody rehearsed it again since."""

    code = "policy_release.not_rehearsed"
    title = "Look at the newest rehearsal of the draft first; it is published with the number of what you saw"


class SelfPublication(Refused):
    """Two persons change policy."""

    code = "policy_release.self_publication"
    title = "Who wrote a draft does not publish it; ask a second person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`base` is the revision of what the rooms wrote, `follows` that of the policy in force, here and now."""

    release_id: str
    title: str
    reason: str
    base: str
    follows: str
    after: str
    revision: str
    changes: tuple[Change, ...]
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearse:
    release_id: str
    base: str
    stretches: tuple[Stretch, ...]
    away: tuple[str, ...]
    decisions: int
    flipped: int
    sha256: str
    key_id: str
    signature: str
    rehearsed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """`base` is what is installed when it is published; `rehearsal` names the difference that the person saw."""

    release_id: str
    base: str
    rehearsal: str
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    release_id: str
    reason: str
    withdrawn_by: str


ReleaseCommand = Draft | Rehearse | Publish | Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A draft that waits."""

    drafted: PolicyDrafted
    rehearsal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The release in force, None while it is what the rooms wrote, and the drafts."""

    in_force: PolicyPublished | None = None
    open: Mapping[str, Open] = field(default_factory=dict)

    @property
    def last(self) -> str:
        """The id of the release in force."""
        return "" if self.in_force is None else self.in_force.release_id


def decide(state: Releases, command: ReleaseCommand) -> Sequence[PolicyReleaseFact]:
    match command:
        case Draft():
            return _draft(state, command)
        case Rehearse():
            return _rehearse(state, command)
        case Publish():
            return _publish(state, command)
        case Withdraw():
            _open(state, command.release_id)
            told = PolicyWithdrawn(
                release_id=command.release_id, reason=command.reason, withdrawn_by=command.withdrawn_by
            )
            return [told]


def evolve(state: Releases, fact: PolicyReleaseFact) -> Releases:
    match fact:
        case PolicyDrafted():
            return replace(state, open={**state.open, fact.release_id: Open(drafted=fact)})
        case PolicyRehearsed():
            one = replace(state.open[fact.release_id], rehearsal=fact.sha256)
            return replace(state, open={**state.open, fact.release_id: one})
        case PolicyPublished():
            return Releases(in_force=fact, open=_without(state, fact.release_id))
        case PolicyWithdrawn():
            return replace(state, open=_without(state, fact.release_id))


def _draft(state: Releases, command: Draft) -> Sequence[PolicyReleaseFact]:
    if command.after != state.last:
        raise ReleaseOutdated
    if command.revision == command.follows:
        raise NothingChanges
    drafted = PolicyDrafted(
        release_id=command.release_id,
        title=command.title,
        reason=command.reason,
        base=command.base,
        follows=command.follows,
        after=command.after,
        revision=command.revision,
        changes=command.changes,
        author=command.author,
    )
    return [drafted]


def _rehearse(state: Releases, command: Rehearse) -> Sequence[PolicyReleaseFact]:
    drafted = _open(state, command.release_id).drafted
    if command.base != drafted.base or drafted.after != state.last:
        raise ReleaseOutdated
    rehearsed = PolicyRehearsed(
        release_id=command.release_id,
        revision=drafted.revision,
        follows=drafted.follows,
        stretches=command.stretches,
        away=command.away,
        decisions=command.decisions,
        flipped=command.flipped,
        sha256=command.sha256,
        key_id=command.key_id,
        signature=command.signature,
        rehearsed_by=command.rehearsed_by,
    )
    return [rehearsed]


def _publish(state: Releases, command: Publish) -> Sequence[PolicyReleaseFact]:
    one = _open(state, command.release_id)
    drafted = one.drafted
    if drafted.base != command.base or drafted.after != state.last:
        raise ReleaseOutdated
    if not one.rehearsal or one.rehearsal != command.rehearsal:
        raise NotRehearsed
    if command.published_by == drafted.author:
        raise SelfPublication
    published = PolicyPublished(
        release_id=drafted.release_id,
        revision=drafted.revision,
        base=drafted.base,
        follows=drafted.follows,
        changes=drafted.changes,
        rehearsal=one.rehearsal,
        author=drafted.author,
        published_by=command.published_by,
    )
    return [published]


def _open(state: Releases, release_id: str) -> Open:
    try:
        return state.open[release_id]
    except KeyError:
        raise ReleaseUnknown from None


def _without(state: Releases, release_id: str) -> dict[str, Open]:
    return {id: one for id, one in state.open.items() if id != release_id}


RELEASES = Aggregate(
    "policy_release", Decider[ReleaseCommand, PolicyReleaseFact, Releases](Releases(), decide, evolve), FACTS
)
