"""Which services may ask the key store, and for what.

This is no policy of the bank's: no bank has a reason to let audit open personal data, or scoring destroy keys. What a
person may see is asked of policy by the service that opens it.
"""

import hmac
from hashlib import sha256
from pathlib import Path

import msgspec

from letopis.common.private_files import read_private

# What each service may do.
RIGHTS = {
    "registry": frozenset({"issue", "fetch", "destroyed"}),
    "inference": frozenset({"issue", "fetch", "destroyed"}),
    "monitoring": frozenset({"fetch", "destroyed"}),
    "audit": frozenset({"assign", "find", "destroy"}),
}
# Whose keys each may be handed again: its own; monitoring counts the inputs of decisions.
READS = {"registry": ("registry",), "inference": ("inference",), "monitoring": ("inference",)}


class Callers:
    """The services by the SHA-256 of their secrets."""

    def __init__(self, file: Path) -> None:
        self._hashes = msgspec.json.decode(read_private(file), type=dict[str, str])

    def who(self, authorization: str) -> str:
        """The service whose secret this is, or an empty text."""
        shown = sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
        return next((name for name, known in self._hashes.items() if hmac.compare_digest(known, shown)), "")
