"""Cosignatures of witnesses (C2SP tlog-cosignature) and who of them must have signed (C2SP tlog-policy)."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from . import ed25519
from .fault import Bad
from .note import DASH, Head, Keys, head_of, strict64

TIME_SIZE = 8


@dataclass(frozen=True)
class Policy:
    """Witness keys by name (signature name, 32 bytes), groups (needed, members), and what makes a quorum."""

    witnesses: Mapping[str, tuple[str, bytes]]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def enough(self, signed: frozenset[str], name: str = "") -> bool:
        """Whether these witnesses are a quorum."""
        name = name or self.quorum
        if name == "none":
            return True
        if name not in self.groups:
            return name in signed
        needed, members = self.groups[name]
        return sum(self.enough(signed, member) for member in members) >= needed


def policy_of(text: str) -> Policy:
    """A policy file; Bad if it says what cannot be."""
    witnesses: dict[str, tuple[str, bytes]] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorum, used = "", set[str]()
    for line in text.split("\n"):
        word, *rest = line.split() or ["#"]
        if word.startswith("#") or word == "log":
            continue
        name, taken = rest[0] if rest else "", {"none", *witnesses, *groups}
        if word == "witness" and len(rest) in {2, 3} and name not in taken:
            witnesses[name] = _key(rest[1])
        elif word == "group" and len(rest) > 2 and name not in taken:
            needed, *members = rest[1:]
            count = {"all": len(members), "any": 1}.get(needed) or (int(needed) if needed.isdecimal() else 0)
            if not 1 <= count <= len(members) or set(members) & used or not set(members) <= taken - {"none"}:
                raise Bad(f"{line!r} cannot be in a witness policy")
            used |= set(members)
            groups[name] = (count, tuple(members))
        elif word == "quorum" and len(rest) == 1 and not quorum and name in taken:
            quorum = name
        else:
            raise Bad(f"{line!r} cannot be in a witness policy")
    if not quorum or len({key for _, key in witnesses.values()}) != len(witnesses):
        raise Bad("a witness policy has one quorum, and every witness a key of its own")
    return Policy(witnesses, groups, quorum)


def witnessed(data: bytes, keys: Keys, policy: Policy) -> tuple[Head, frozenset[str]]:
    """The head of a note that its log signed, and the witnesses of the policy that signed it too."""
    text, empty, tail = data.partition(b"\n\n")
    lines = tail.decode("utf-8", "replace").splitlines(keepends=True)
    own = [line for line in lines if line.removeprefix(DASH).partition(" ")[0] in keys]
    head = head_of(text + empty + "".join(own).encode(), keys)
    known = {name: at for at, (name, _) in policy.witnesses.items()}
    signed = set()
    for line in lines:
        name, _, signature = line.strip("\n").removeprefix(DASH).partition(" ")
        if name not in known:
            continue
        key = policy.witnesses[known[name]][1]
        blob = strict64(signature)
        at = int.from_bytes(blob[4 : 4 + TIME_SIZE], "big")
        message = f"cosignature/v1\ntime {at}\n".encode() + text + b"\n"
        if blob[:4] != _key_id(name, key) or not ed25519.verify(key, message, blob[4 + TIME_SIZE :]):
            raise Bad(f"the cosignature of {name} is not valid")
        signed.add(known[name])
    return head, frozenset(signed)


def _key(text: str) -> tuple[str, bytes]:
    parts = text.split("+", 2)
    data = strict64(parts[2]) if len(parts) == 3 else b""
    if len(data) != 33 or data[0] != 4 or _key_id(parts[0], data[1:]).hex() != parts[1]:
        raise Bad(f"{text!r} is not a witness's verifier key")
    return parts[0], data[1:]


def _key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n\x04" + key).digest()[:4]
