"""What is recorded of a change of policy, from its draft to its publication."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path into the policy's tables and the value it gets, as canonical JSON (letopis.common.policy.amending)."""

    path: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Positions of a ledger whose decisions were asked again; `head` is where the ledger ended then."""

    ledger: str
    first: int
    last: int
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDrafted:
    """All changes of the future release over what the rooms wrote (`base`), not only those over `follows`.

    `after` is the release whose changes it was written on top of, "" where there was none.
    """

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
class PolicyRehearsed:
    """Recorded decisions were asked again under both revisions; `sha256` is the difference in the object store.

    `away` names the ledgers whose owner told nothing.
    """

    release_id: str
    revision: str
    follows: str
    stretches: tuple[Stretch, ...]
    away: tuple[str, ...]
    decisions: int
    flipped: int
    sha256: str
    key_id: str
    signature: str
    rehearsed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPublished:
    """From here on this revision is in force wherever the rooms wrote `base`; `rehearsal` is what the person saw."""

    release_id: str
    revision: str
    base: str
    follows: str
    changes: tuple[Change, ...]
    rehearsal: str
    author: str
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWithdrawn:
    release_id: str
    reason: str
    withdrawn_by: str


PolicyReleaseFact = PolicyDrafted | PolicyRehearsed | PolicyPublished | PolicyWithdrawn

FACTS = Catalogue(
    [
        ("registry.policy_release.drafted", 1, PolicyDrafted),
        ("registry.policy_release.rehearsed", 1, PolicyRehearsed),
        ("registry.policy_release.published", 1, PolicyPublished),
        ("registry.policy_release.withdrawn", 1, PolicyWithdrawn),
    ]
)
