"""The HTTP kit: guard, governed calls, receipts, problems, health, the owner's door."""

from letopis.common.http.bodies import Body
from letopis.common.http.calling import Call
from letopis.common.http.governing import governed
from letopis.common.http.ledger_door import ledger_door
from letopis.common.http.media import media
from letopis.common.http.problems import problems
from letopis.common.http.receipts import Receipt, receipt
from letopis.common.http.resources import Resources, open_resources
from letopis.common.http.routing import public
from letopis.common.http.service import create_service
from letopis.common.policy.verdict import Object

__all__ = [
    "Body",
    "Call",
    "Object",
    "Receipt",
    "Resources",
    "create_service",
    "governed",
    "ledger_door",
    "media",
    "open_resources",
    "problems",
    "public",
    "receipt",
]
