"""Syslog messages (RFC 5424) in the framing of syslog over TLS (RFC 5425), and what a receiver checks; pure.

Every ledger's events are counted by themselves: `seq` goes up by one, `prev` is the hash of the message before, so a
receiver sees any loss, change or twin. A mark tells from time to time how far each ledger is, so that a lost end
shows too. What is sent again after a broken connection has the same bytes.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from letopis.audit.siem.ecs import INFORMATIONAL, event
from letopis.common.envelope import Record

# Facility 13 of RFC 5424 is "log audit".
FACILITY = 13
# 32473 is the enterprise number that RFC 5612 keeps for documentation; a bank may put its own.
ENTERPRISE = "32473"
START = "0" * 64
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far the events of one ledger are told: the position read, the events counted, the last message's hash."""

    position: int = 0
    sequence: int = 0
    chain: str = START


def messages(
    records: Iterable[Record], reached: Reached, host: str, enterprise: str = ENTERPRISE
) -> Iterator[tuple[bytes | None, Reached]]:
    """Each record's message, None for what is no security event, and how far that is."""
    for record in records:
        told = event(record, reached.sequence + 1)
        if told is None:
            reached = Reached(position=record.position, sequence=reached.sequence, chain=reached.chain)
            yield None, reached
            continue
        about = {
            "ledger": record.ledger,
            "position": str(record.position),
            "seq": str(reached.sequence + 1),
            "prev": reached.chain,
        }
        body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        head = (told["event"]["severity"], told["@timestamp"], host, record.type)
        message = _message(*head, about, body, enterprise)
        reached = Reached(position=record.position, sequence=reached.sequence + 1, chain=sha256(message).hexdigest())
        yield message, reached


def mark(reached: dict[str, Reached], at: str, host: str, enterprise: str = ENTERPRISE) -> bytes:
    """A message that says how far every ledger is told."""
    told = {ledger: {"seq": one.sequence, "hash": one.chain} for ledger, one in sorted(reached.items())}
    about = {"marks": ",".join(f"{ledger}:{one['seq']}:{one['hash']}" for ledger, one in told.items())}
    return _message(INFORMATIONAL, at, host, "mark", about, "letopis mark", enterprise)


def framed(message: bytes) -> bytes:
    """RFC 5425 section 4.3: the length in octets, a space, the message."""
    return b"%d %s" % (len(message), message)


def unframed(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages at the beginning of a stream, and the rest."""
    found = []
    while (cut := data.find(b" ", 0, 12)) > 0:
        size = int(data[:cut])
        if len(data) < cut + 1 + size:
            break
        found.append(data[cut + 1 : cut + 1 + size])
        data = data[cut + 1 + size :]
    return found, data


def _message(severity: int, at: str, host: str, kind: str, about: dict[str, str], body: str, enterprise: str) -> bytes:
    elements = " ".join(f'{name}="{_escaped(value)}"' for name, value in about.items())
    # MSGID has at most 32 characters.
    head = f"<{FACILITY * 8 + severity}>1 {at} {host} letopis - {kind[-32:]} [letopis@{enterprise} {elements}] "
    return head.encode("ascii") + BOM + body.encode()


def _escaped(text: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", text)


_PARSED = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<at>\S+) (?P<host>\S+) letopis - (?P<kind>\S+) \[letopis@\d+ (?P<about>[^\]]*)\] "
    rb"(?:\xef\xbb\xbf)?(?P<body>.*)",
    re.DOTALL,
)


@dataclass(slots=True)
class Receiving:
    """What a receiver keeps to say whether it has everything; feed it all messages in the order they came."""

    hashes: dict[str, dict[int, str]] = field(default_factory=dict)
    marked: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    prevs: dict[str, dict[int, str]] = field(default_factory=dict)

    def take(self, message: bytes) -> dict[str, Any] | None:
        """One message; the ECS event in it the first time it comes, None for twins and marks."""
        parsed = _PARSED.fullmatch(message)
        if parsed is None:
            self.faults.append(f"a message is not one of ours: {message[:80]!r}")
            return None
        about = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', parsed["about"].decode()))
        if "marks" in about:
            for one in filter(None, about["marks"].split(",")):
                ledger, sequence, digest = one.rsplit(":", 2)
                self.marked[ledger] = max(self.marked.get(ledger, (0, START)), (int(sequence), digest))
            return None
        ledger, sequence, digest = about["ledger"], int(about["seq"]), sha256(message).hexdigest()
        known = self.hashes.setdefault(ledger, {})
        if sequence in known:
            if known[sequence] != digest:
                self.faults.append(f"{ledger}: two messages are number {sequence}")
            return None
        known[sequence], self.prevs.setdefault(ledger, {})[sequence] = digest, about["prev"]
        told: dict[str, Any] = json.loads(parsed["body"])
        return told

    def missing(self) -> list[str]:
        """What is lost or was changed, by ledger and number; nothing if everything up to the last marks is here."""
        told = list(self.faults)
        for ledger in sorted({*self.hashes, *self.marked}):
            known, (last, digest) = self.hashes.get(ledger, {}), self.marked.get(ledger, (0, START))
            lost = [at for at in range(1, max([last, *known]) + 1) if at not in known]
            told += [f"{ledger}: number {at} is missing" for at in lost]
            told += [
                f"{ledger}: number {at} does not follow from the one before"
                for at, prev in sorted(self.prevs.get(ledger, {}).items())
                if at - 1 not in lost and prev != (known[at - 1] if at > 1 else START)
            ]
            if last in known and known[last] != digest:
                told.append(f"{ledger}: number {last} is not the one that was marked")
        return told
