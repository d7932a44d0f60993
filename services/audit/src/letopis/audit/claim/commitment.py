"""The commitment to a drill's plan, pure and of the standard library only: the verifier computes it again."""

import json
from hashlib import sha256
from typing import Any

HEADER = "letopis-drill-v1"


def spelled(plan: Any) -> str:
    """A plan in its one spelling."""
    return json.dumps(plan, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def commitment(plan: str, salt: str) -> str:
    """What is told beforehand: SHA-256 over the salt (32 hexadecimal digits) and the plan in its one spelling."""
    return sha256(f"{HEADER}\n{salt}\n{plan}\n".encode()).hexdigest()
