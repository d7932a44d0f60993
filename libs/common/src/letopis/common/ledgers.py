"""Every ledger of an installation and the service that owns it: the names that all sides share."""

from collections.abc import Mapping

OWNERS: Mapping[str, str] = {
    "registry": "registry",
    "features": "features",
    "access": "features",
    "inference": "inference",
    "decisions": "inference",
    "monitoring": "monitoring",
    "audit": "audit",
    "console": "console",
}
LEDGERS = tuple(OWNERS)
