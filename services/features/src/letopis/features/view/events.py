"""What is known of a feature view."""

from dataclasses import dataclass

from letopis.common.serialization import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFeature:
    """A column that a view gives: its type, its class (the highest of what it is made of), and where it comes from."""

    name: str
    type: str
    cls: str
    kind: str
    lineage: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRegistered:
    """A version of a view: SQL over sources with a key, a time when values were true and one when they were known.

    `reads` are the columns that the statement reads of each source. `ttl_seconds` None: values do not grow old.
    """

    view_id: str
    name: str
    number: int
    entity: str
    key: str
    event_time: str
    known_time: str | None
    ttl_seconds: int | None
    sql: str
    sql_hash: str
    reads: dict[str, tuple[str, ...]]
    features: tuple[ViewFeature, ...]
    owner: str
    description: str


ViewFact = ViewRegistered

FACTS = Catalogue([("features.view.registered", 1, ViewRegistered)])
