"""Identifiers: time-ordered for what is new, derived for what may be repeated."""

import os
import time
from uuid import UUID, uuid5

COMMAND_SPACE = UUID("5f0a3f5e-6d3b-5c0e-9d6f-1f3a2b4c5d6e")


def uuid7() -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def command_id(person: str, route: str, key: str) -> UUID:
    """The command a person repeats when they send the same Idempotency-Key to the same route."""
    return uuid5(COMMAND_SPACE, f"{person}\n{route}\n{key}")


def salt() -> bytes:
    """Sixteen random bytes that hide a fact's content behind its commitment."""
    return os.urandom(16)
