"""What a witness does: signs a checkpoint only if it continues the last one it signed (C2SP tlog-witness)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from letopis.audit.checkpoint.lock import HeadMoved, Locked, LockStore
from letopis.audit.log.merkle import HASH_SIZE, BadProof, check_consistency
from letopis.audit.log.note import BadNote, Checkpoint, Verifier, decoded, open_note
from letopis.audit.witness.cosignature import Cosigner
from letopis.common.clock import Clock

MOST_HASHES = 63
LONGEST_SIZE = 18


class Unwitnessed(Exception):
    """A checkpoint is not signed; `status` and `body` answer whoever asked."""

    def __init__(self, status: int, reason: str, *, size: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.size = size

    @property
    def body(self) -> str:
        """The size of the last checkpoint signed where that is asked for, else the reason."""
        return f"{self}\n" if self.size is None else f"{self.size}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A checkpoint that is to be signed, with the proof from an earlier one."""

    old: int
    proof: Sequence[bytes]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """`logs` are the keys it trusts, by origin; `heads` outlives everything, or a fork could be signed."""

    cosigner: Cosigner
    logs: Mapping[str, Verifier]
    heads: LockStore
    clock: Clock

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature line; the head it speaks of is durable before. Unwitnessed says why there is none."""
        given = parse(body)
        try:
            head = Checkpoint.parse(given.note.rpartition("\n\n")[0] + "\n")
        except BadNote as bad:
            raise Unwitnessed(400, str(bad)) from bad
        log = self.logs.get(head.origin)
        if log is None:
            raise Unwitnessed(404, f"{head.origin} is not a log that is watched here")
        try:
            text = open_note(given.note, [log])
        except BadNote as bad:
            raise Unwitnessed(403, str(bad)) from bad
        if given.old > head.size:
            raise Unwitnessed(400, "the old size is larger than the checkpoint's")
        self._continue(head, given)
        return self.cosigner.cosign(text, int(self.clock.now().timestamp()))

    def _continue(self, head: Checkpoint, given: Submission) -> None:
        before = self.heads.head(head.origin)
        if given.old != before.size:
            raise Unwitnessed(409, "the old size is not that of the last checkpoint signed here", size=before.size)
        if head.size == before.size and head.root != before.root:
            raise Unwitnessed(409, f"two histories of {head.origin} at {head.size}", size=before.size)
        try:
            check_consistency(before.size, head.size, before.root, head.root, given.proof)
        except BadProof as bad:
            raise Unwitnessed(422, str(bad)) from bad
        if head.size > before.size:
            try:
                self.heads.advance(head.origin, before, Locked(head.size, head.root))
            except HeadMoved:
                now = self.heads.head(head.origin)
                raise Unwitnessed(409, "another request was first", size=now.size) from None


def submission(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body that asks for a cosignature."""
    lines = [f"old {old}\n", *(f"{base64.b64encode(one).decode()}\n" for one in proof), "\n"]
    return "".join(lines).encode() + note.encode()


def parse(body: bytes) -> Submission:
    """What such a body asks for; Unwitnessed 400 if it is none."""
    try:
        top, _, note = body.decode().partition("\n\n")
        first, *proof = top.split("\n")
        return Submission(old=_old(first), proof=_hashes(proof), note=note)
    except (BadNote, UnicodeDecodeError) as bad:
        raise Unwitnessed(400, str(bad)) from bad


def _old(line: str) -> int:
    word, _, old = line.partition(" ")
    # Python refuses to read thousands of digits; no log is that long.
    if word != "old" or not (old.isascii() and old.isdigit() and len(old) <= LONGEST_SIZE) or str(int(old)) != old:
        raise BadNote("the first line must be old and a size")
    return int(old)


def _hashes(lines: Sequence[str]) -> list[bytes]:
    hashes = [decoded(line) for line in lines]
    if len(hashes) > MOST_HASHES or any(len(one) != HASH_SIZE for one in hashes):
        raise BadNote(f"a proof has at most {MOST_HASHES} hashes of {HASH_SIZE} bytes")
    return hashes
