"""A stranger's telling of a recorded evaluation: every fact read again, hashed, counted, and the document made anew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from letopis.audit.claim.document import LEDGERS, Claims, stated
from letopis.audit.evidence.verifier import merkle
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.leaf import leaf_of
from letopis.audit.evidence.verifier.ledger import Row

# Rows of a ledger up to a position, from its owner, a database or a pack.
Rows = Callable[[str, int], Iterator[Row]]


def recomputed(as_of: Mapping[str, Mapping[str, Any]], rows: Rows, hashes: Mapping[str, Sequence[bytes]]) -> bytes:
    """The document over all facts up to the heads of `as_of`; what is held at a time is one fact and its hashes.

    `hashes` are leaf hashes of ledgers under signed checkpoints, where they are at hand: with them the first fact
    that is not the sealed one is named. Bad if a fact is missing, is another, or does not lead to its ledger's root.
    """
    heads = {ledger: {"position": head["position"], "root": head["root"]} for ledger, head in as_of.items()}
    claims = Claims(stated(_records("audit", heads["audit"]["position"], rows) if "audit" in heads else ()))
    last = {}
    for ledger in LEDGERS:
        if ledger not in heads:
            continue
        found: list[bytes] = []
        size = heads[ledger]["position"]
        for record in _records(ledger, size, rows):
            leaf = merkle.leaf_hash(leaf_of(record))
            place = f"{ledger}/{record['position']}"
            if ledger in hashes and leaf != hashes[ledger][len(found)]:
                raise Bad("is not the fact that was sealed", place)
            found.append(leaf)
            claims.feed(record)
            last[ledger] = record["recorded_at"]
        if merkle.root(found).hex() != heads[ledger]["root"]:
            raise Bad("the facts do not lead to the root under which the claims were evaluated", ledger)
    return claims.document(heads, last)


def compared(served: bytes, recorded_sha256: str, made: bytes) -> None:
    """The document that was served is the recorded one and the one made here; Bad if not."""
    if sha256(served).hexdigest() != recorded_sha256:
        raise Bad("the served document is not the one that was recorded", "claims")
    if made != served:
        at = next(
            (n for n, (a, b) in enumerate(zip(made, served, strict=False)) if a != b), min(len(made), len(served))
        )
        raise Bad("the document is not what the facts make of the claims", f"claims byte {at}")


def _records(ledger: str, size: int, rows: Rows) -> Iterator[dict[str, str]]:
    expected = 1
    for row in rows(ledger, size):
        if expected > size:
            break
        if row.record["position"] != str(expected) or row.record["ledger"] != ledger:
            raise Bad("is missing", f"{ledger}/{expected}")
        expected += 1
        yield row.record | {"data": row.data.decode(), "meta": row.meta.decode()}
    if expected <= size:
        raise Bad("is missing", f"{ledger}/{expected}")
