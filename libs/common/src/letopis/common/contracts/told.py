"""What every document says of the product itself."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    VERSION = version("letopis")
except PackageNotFoundError:
    VERSION = "0"

LICENCE = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}

DOORS = (
    "Every answer that is not a success is an RFC 9457 problem whose `code` names it and whose `remedy` says what "
    "to do. Commands answer with a receipt; the header Letopis-Position names their place in the ledger, and "
    "Min-Position on a later read waits until the read model has reached it. Repeating a command with its "
    "Idempotency-Key gives the first answer again. Additions may come in any version; what is told here is not "
    "taken away within a major one."
)

NEWS = (
    "A ledger's facts are numbered without gaps; every fact is published once in order, to the stream "
    "`LEDGER_<ledger>`. A subscriber keeps the last position it has dealt with, skips what it has, and notices "
    "what is missing by `position` (of the ledger) or `prevposition` (of one stream). What the bus no longer has "
    "is at the owner's door, `GET /v1/ledgers/{ledger}/facts?after=`. The leaf hash lets it check each fact: "
    "SHA-256(0x00 || leaf), the leaf being RFC 8785 JSON of the record's fields without salt, data and meta, with "
    "`commitment` = hex SHA-256(0x02 || salt || data) and `meta` = hex SHA-256(0x03 || salt || meta). New types "
    "and new schema versions may come at any time: skip what you do not know. A released schema version never "
    "changes."
)

SERVER: dict[str, Any] = {
    "host": "{host}",
    "protocol": "nats",
    "description": "The bank's NATS with JetStream; the administrator makes a key and a durable for each subscriber.",
    "variables": {"host": {"default": "127.0.0.1:4222"}},
    "security": [{"$ref": "#/components/securitySchemes/nkey"}],
}

NKEY = {"type": "asymmetricEncryption", "description": "An nkey (Ed25519); the server signs in by challenge."}

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of the bank's OpenID Connect provider, for the audience `letopis`.",
}
