"""Whether a training set's files still are what its manifest says."""

from collections.abc import Iterable

from letopis.common.errors import NotFound, ObjectDamaged
from letopis.common.objects import ObjectStore


def hashed(objects: ObjectStore, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each of these objects, "" for one that is missing or has other content than its name says."""
    found: dict[str, str] = {}
    for name in names:
        try:
            objects.verified(name)
            found[name] = name
        except (NotFound, ObjectDamaged):
            found[name] = ""
    return found
