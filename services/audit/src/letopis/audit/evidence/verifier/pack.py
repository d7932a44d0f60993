"""An evidence pack from its first byte to its last: archive, signatures, facts, trees, proofs, report."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from zlib import crc32

from . import approvals, archive, merkle, note, witness
from .fault import Bad, Fault
from .leaf import leaf_of, record_of

FORMAT = "letopis-pack-v2"
MANIFEST, SIGNED = "manifest.json", "manifest.note"

# The reports' code: a definition, facts by ledger, their heads (position, root in hex) and what the report is about
# become its exact bytes.
Report = Callable[
    [bytes, Mapping[str, Iterable[Mapping[str, str]]], Mapping[str, Mapping[str, Any]], Mapping[str, str]], bytes
]
ENVELOPE = "letopis-envelope-v1"


@dataclass(frozen=True)
class Whole:
    """A ledger of which the pack holds every fact."""

    records: list[dict[str, str]] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)


@dataclass
class Verdict:
    """What was checked, what was found wrong, and with which keys."""

    checks: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    heads: dict[str, note.Head] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not self.faults

    def passed(self, what: str) -> None:
        self.checks.append(what)

    def failed(self, place: str, what: str) -> None:
        self.faults.append(Fault(place, what))


def verify(
    data: bytes,
    remake: Report,
    trusted: note.Keys | None = None,
    kept: Iterable[bytes] = (),
    policy: witness.Policy | None = None,
) -> Verdict:
    """Check a pack; `trusted` are keys known from outside (else the pack's own are used), `kept` are
    checkpoints the reader kept before, each of which must be an earlier state of the same logs. With a
    `policy` every log must have been witnessed as it asks.
    """
    verdict = Verdict()
    members, faults = archive.read(data, _listed)
    verdict.faults += faults
    files = {member.name: member for member in members}
    try:
        manifest = _manifest(verdict, files, trusted)
    except (Bad, KeyError, TypeError, ValueError) as error:
        _name(verdict, files, error)
        return verdict
    try:
        _members(verdict, members, manifest)
        _heads(verdict, files, manifest)
        whole = _ledgers(verdict, files, manifest)
        proofs = json.loads(files["proofs.json"].data)
        facts = {ledger: one.records for ledger, one in whole.items()}
        facts |= _excerpts(verdict, files, manifest, proofs)
        _approvals(verdict, whole)
        _kept(verdict, kept, whole, proofs)
        if policy is not None:
            _witnessed(verdict, files, proofs, policy)
        _report(verdict, files, manifest, facts, remake)
        _envelope(verdict, files, manifest)
    except Bad as bad:
        verdict.failed(bad.place or "pack", bad.what)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        verdict.failed("pack", f"something that must be there is not: {error!r}")
    return verdict


def _manifest(verdict: Verdict, files: Mapping[str, archive.Member], trusted: note.Keys | None) -> Any:
    """The manifest, whose digest is signed."""
    verdict.keys = dict(trusted or note.keys_of(files["keys.txt"].data.decode("ascii")))
    raw = files[MANIFEST].data
    lines = note.opened(files[SIGNED].data, verdict.keys).split("\n")
    if lines != [FORMAT, sha256(raw).hexdigest(), ""]:
        raise Bad("the manifest is not the one that was signed", MANIFEST)
    manifest = json.loads(raw)
    if canonical(manifest) != raw or manifest["format"] != FORMAT:
        raise Bad("the manifest is not in its one spelling", MANIFEST)
    verdict.passed(f"manifest signed by {', '.join(sorted(verdict.keys))}")
    return manifest


def _name(verdict: Verdict, files: Mapping[str, archive.Member], error: Exception) -> None:
    """Which byte of the manifest, its signature or the keys is wrong, as far as the CRC can tell."""
    for name in ("keys.txt", SIGNED, MANIFEST):
        member = files.get(name)
        if member is None:
            verdict.failed(name, "is missing from the pack")
        elif crc_differs(member):
            verdict.failed(_byte(member, None), "is not the byte that was written")
    what = error.what if isinstance(error, Bad) else f"cannot be read: {error!r}"
    verdict.failed((error.place if isinstance(error, Bad) else "") or SIGNED, what)


def _members(verdict: Verdict, members: Sequence[archive.Member], manifest: Any) -> None:
    """Every member is listed once, in order, with its size and SHA-256."""
    listed = {one["name"]: one for one in manifest["members"]}
    wanted = [MANIFEST, SIGNED, *listed]
    if [member.name for member in members] != wanted or len(listed) != len(manifest["members"]):
        raise Bad("the archive does not hold exactly the listed members", "archive")
    for member in members[2:]:
        one = listed[member.name]
        if sha256(member.data).hexdigest() != one["sha256"] or len(member.data) != one["bytes"] or crc_differs(member):
            verdict.failed(_byte(member, one["sha256"]), "is not the byte that was written")
    verdict.passed(f"{len(members)} members, every byte accounted for")


def _heads(verdict: Verdict, files: Mapping[str, archive.Member], manifest: Any) -> None:
    """Checkpoints of every ledger the pack speaks of."""
    for ledger, told in manifest["ledgers"].items():
        place = f"checkpoints/{ledger}"
        try:
            head = note.head_of(files[place].data, verdict.keys)
        except Bad as bad:
            raise Bad(bad.what, place) from None
        if (head.origin, head.size, head.root.hex()) != (told["origin"], told["size"], told["root"]):
            raise Bad("is not the checkpoint that the manifest speaks of", place)
        verdict.heads[ledger] = head
    verdict.passed(f"{len(verdict.heads)} checkpoints signed")


def _ledgers(verdict: Verdict, files: Mapping[str, archive.Member], manifest: Any) -> dict[str, Whole]:
    """Whole ledgers: contiguous from 1 to the checkpoint, every leaf recomputed, and the root of them all."""
    ledgers = {}
    for ledger in manifest["whole"]:
        head, told = verdict.heads[ledger], Whole()
        place = f"ledgers/{ledger}.records"
        for number, (record, leaf) in enumerate(_facts(verdict, files, f"ledgers/{ledger}", ledger), 1):
            if record["position"] != str(number):
                raise Bad(f"is missing: {record['position']} stands in its place", f"{ledger}/{number}")
            told.hashes.append(merkle.leaf_hash(leaf))
            told.records.append(record)
        if len(told.hashes) != head.size:
            raise Bad(f"holds {len(told.hashes)} facts, its checkpoint speaks of {head.size}", place)
        if merkle.root(told.hashes) != head.root:
            raise Bad("the facts do not lead to the checkpoint's root", place)
        ledgers[ledger] = told
        verdict.passed(f"{ledger}: {head.size} facts, contiguous, their root is the checkpoint's")
    return ledgers


def _excerpts(
    verdict: Verdict, files: Mapping[str, archive.Member], manifest: Any, proofs: Any
) -> dict[str, list[dict[str, str]]]:
    """Single facts of other ledgers, each with a proof of inclusion; a stretch of them without a gap where told."""
    told: dict[str, list[dict[str, str]]] = {}
    for ledger in manifest["excerpts"]:
        told[ledger] = []
        head, given = verdict.heads[ledger], {one["position"]: one for one in proofs["inclusion"][ledger]}
        count = 0
        for record, leaf in _facts(verdict, files, f"excerpts/{ledger}", ledger):
            position = int(record["position"])
            path = [bytes.fromhex(one) for one in given[position]["hashes"]]
            try:
                reached = merkle.included(position - 1, head.size, merkle.leaf_hash(leaf), path)
            except Bad as bad:
                raise Bad(bad.what, f"{ledger}/{position}") from None
            if reached != head.root:
                raise Bad("is not in the ledger that was sealed", f"{ledger}/{position}")
            count += 1
            told[ledger].append(record)
        verdict.passed(f"{ledger}: {count} facts proved to be in a ledger of {head.size}")
        if ledger in manifest["ranges"]:
            first, last = manifest["ranges"][ledger]
            held = {int(one["position"]) for one in told[ledger]}
            missing = next((at for at in range(first, last + 1) if at not in held), None)
            if missing is not None:
                raise Bad("is missing from the stretch that the pack tells whole", f"{ledger}/{missing}")
            verdict.passed(f"{ledger}: every fact from {first} to {last} is there")
    return told


def _facts(
    verdict: Verdict, files: Mapping[str, archive.Member], stem: str, ledger: str
) -> Iterable[tuple[dict[str, str], bytes]]:
    """Records and leaves line by line: each leaf must be the one computed from its record."""
    place = f"{stem}.records"
    lines, leaves = _lines(files[place]), _lines(files[f"{stem}.leaves"])
    if len(lines) != len(leaves):
        raise Bad(f"holds {len(lines)} records and {len(leaves)} leaves", place)
    at = 0
    for line, given in zip(lines, leaves, strict=True):
        try:
            record = record_of(line)
            leaf = leaf_of(record)
        except Bad as bad:
            raise Bad(bad.what, f"{place} byte {at}") from None
        if record["ledger"] != ledger or leaf != given:
            verdict.failed(
                f"{ledger}/{record['position']}",
                f"the record does not have the given leaf ({place} byte {at})",
            )
        at += len(line) + 1
        yield record, leaf


def _approvals(verdict: Verdict, whole: Mapping[str, Whole]) -> None:
    """Approvals are signed by the approvers' own keys."""
    if "registry" in whole:
        good, faults = approvals.checked(whole["registry"].records)
        verdict.faults += faults
        verdict.passed(f"registry: {good} approvals and rejections signed by the persons' own keys")


def _kept(verdict: Verdict, kept: Iterable[bytes], whole: Mapping[str, Whole], proofs: Any) -> None:
    """Checkpoints the reader kept are earlier states of the logs of this pack."""
    ledgers = {head.origin: ledger for ledger, head in verdict.heads.items()}
    for one in kept:
        old = note.head_of(one, verdict.keys)
        ledger = ledgers.get(old.origin)
        if ledger is None:
            raise Bad(f"is of {old.origin}, which this pack does not speak of", "kept checkpoint")
        head, place = verdict.heads[ledger], f"{ledger} from {old.size} to {verdict.heads[ledger].size}"
        if old.size > head.size:
            raise Bad("the kept checkpoint is newer than the pack", place)
        if ledger in whole:
            same = merkle.root(whole[ledger].hashes[: old.size]) == old.root
        else:
            given = [bytes.fromhex(two) for two in proofs["consistency"].get(ledger, {}).get(str(old.size), [])]
            same = merkle.consistent(old.size, head.size, old.root, head.root, given)
        if not same:
            raise Bad("the kept checkpoint is not an earlier state of this log, or no proof is given", place)
        verdict.passed(f"{place}: consistent with the kept checkpoint")


def _witnessed(verdict: Verdict, files: Mapping[str, archive.Member], proofs: Any, policy: witness.Policy) -> None:
    """Of every log, a head that enough witnesses signed, of the same history as the pack's."""
    for ledger, head in verdict.heads.items():
        place = f"witnessed/{ledger}"
        if place not in files:
            raise Bad("no head of this log in the pack was witnessed", place)
        try:
            seen, signed = witness.witnessed(files[place].data, verdict.keys, policy)
        except Bad as bad:
            raise Bad(bad.what, place) from None
        if not policy.enough(signed):
            raise Bad(f"{', '.join(sorted(signed)) or 'nobody'} signed; that is no quorum", place)
        old, new = sorted((seen, head), key=lambda one: one.size)
        path = [bytes.fromhex(one) for one in proofs["witnessed"][ledger]]
        if seen.origin != head.origin or not merkle.consistent(old.size, new.size, old.root, new.root, path):
            raise Bad("the witnesses saw another history than this pack's", place)
        covered = min(seen.size, head.size)
        verdict.passed(f"{ledger}: {covered} of {head.size} facts witnessed by {', '.join(sorted(signed)) or 'nobody'}")


def _report(
    verdict: Verdict,
    files: Mapping[str, archive.Member],
    manifest: Any,
    facts: Mapping[str, list[dict[str, str]]],
    remake: Report,
) -> None:
    """The report is what its code makes of the facts."""
    told = manifest["report"]
    member = files[told["member"]]
    given: dict[str, list[dict[str, str]]] = {ledger: facts[ledger] for ledger in told["ledgers"]}
    for ledger, positions in told["excerpts"].items():
        wanted = set(positions)
        given[ledger] = [one for one in facts[ledger] if int(one["position"]) in wanted]
        if len(given[ledger]) != len(wanted):
            raise Bad("not all facts that the report reads are in the pack", f"excerpts/{ledger}.records")
    heads = {
        ledger: {"position": verdict.heads[ledger].size, "root": verdict.heads[ledger].root.hex()}
        for ledger in told["heads"]
    }
    try:
        again = remake(files[told["definition"]].data, given, heads, told["asked"])
    except Exception as error:  # noqa: BLE001 a definition that is not ours may break in any way
        raise Bad(f"the report cannot be made again: {error}", told["definition"]) from None
    if again != member.data:
        differing = (at for at, (a, b) in enumerate(zip(again, member.data, strict=False)) if a != b)
        at = next(differing, min(len(again), len(member.data)))
        raise Bad("the report is not what its code makes of the facts", f"{member.name} byte {at}")
    verdict.passed(f"report {told['type']}: made again from the facts, the same {len(again)} bytes")


def _envelope(verdict: Verdict, files: Mapping[str, archive.Member], manifest: Any) -> None:
    """The envelope is signed, and speaks of this report."""
    told = manifest["report"]
    if not told["envelope"]:
        return
    place = told["envelope"]
    document = json.loads(files[place].data)
    envelope = document["envelope"]
    lines = note.opened(document["note"].encode(), verdict.keys).split("\n")
    if lines != [ENVELOPE, sha256(canonical(envelope)).hexdigest(), ""]:
        raise Bad("the envelope is not the one that was signed", place)
    if envelope["files"]["json"] != sha256(files[told["member"]].data).hexdigest():
        raise Bad("the envelope is that of another report", place)
    for form, digest in envelope["files"].items():
        page = f"{told['member'].removesuffix('.json')}.{form.removeprefix('pdf.')}.pdf"
        if form.startswith("pdf.") and page in files and sha256(files[page].data).hexdigest() != digest:
            raise Bad("the pages are not those that were issued", page)
    verdict.passed(f"envelope: asked for by {envelope['issued']['by']} for {envelope['issued']['purpose']}, signed")


def _listed(members: Sequence[archive.Member]) -> bool:
    """Whether the archive's names are those of the manifest in it."""
    try:
        names = [one["name"] for one in json.loads(members[0].data)["members"]]
    except (IndexError, KeyError, TypeError, ValueError):
        return False
    return [member.name for member in members] == [MANIFEST, SIGNED, *names]


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def crc_differs(member: archive.Member) -> bool:
    return crc32(member.data) != member.crc


def _lines(member: archive.Member) -> list[bytes]:
    if member.data and not member.data.endswith(b"\n"):
        raise Bad("does not end with a line", member.name)
    return member.data.split(b"\n")[:-1]


def _byte(member: archive.Member, digest: str | None) -> str:
    """The member and, if one changed byte explains the difference, its offset."""
    for offset, was in archive.first_changed_byte(member.data, member.crc):
        whole = member.data[:offset] + bytes([was]) + member.data[offset + 1 :]
        if digest is None or sha256(whole).hexdigest() == digest:
            return f"{member.name} byte {offset} (0x{member.data[offset]:02x}, was 0x{was:02x})"
    return member.name
