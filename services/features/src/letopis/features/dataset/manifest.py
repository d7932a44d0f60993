"""What makes a training set, and its digest: equal inputs, equal id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from letopis.common.serialization import canonical

FORMAT = "letopis-dataset-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows of an entity go to `test` by a hash of seed and key, `test_share` of them about; the rest to `train`."""

    seed: int
    test_share: float


def recipe(
    *,
    bundle_id: str,
    views: Mapping[str, str],
    spine_sql: str,
    snapshots: Mapping[str, str],
    known_time: str,
    known_until: str,
    split: Split | None,
    masks: Mapping[str, Mapping[str, str]],
    tokens: str,
    engines: Sequence[str],
) -> dict[str, Any]:
    """Everything that made a training set, as plain JSON.

    `views` maps view ids to the hashes of their canonical SQL; `snapshots` sources to the digests of their extracts;
    `masks` each source's columns to their treatment, with `tokens` naming the key; `engines` name what computed it.
    """
    return {
        "format": FORMAT,
        "bundle": bundle_id,
        "views": dict(views),
        "spine": {"sql": spine_sql, "sha256": sha256(spine_sql.encode()).hexdigest()},
        "snapshots": dict(snapshots),
        "known_time": {"mode": known_time, "until": known_until},
        "split": None if split is None else {"seed": split.seed, "test_share": split.test_share},
        "masks": {source: dict(columns) for source, columns in masks.items()},
        "tokens": tokens,
        "engines": sorted(engines),
    }


def dataset_id(recipe: Mapping[str, Any]) -> str:
    """The SHA-256 of the recipe's canonical JSON."""
    return sha256(canonical(recipe)).hexdigest()
