"""NATS keys: a seed that a client keeps, and the public key that the server knows."""

import os

import nkeys


def new_seed() -> str:
    """A fresh user seed as text."""
    return bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)).decode("ascii")


def public_key(seed: str) -> str:
    """The public key of a seed."""
    return bytes(nkeys.from_seed(seed.encode("ascii")).public_key).decode("ascii")
