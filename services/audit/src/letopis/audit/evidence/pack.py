"""Evidence packs, pure: facts, leaves, proofs, heads and a report in one zip whose every byte counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from letopis.audit.evidence.verifier import archive
from letopis.audit.evidence.verifier.pack import FORMAT, MANIFEST, SIGNED, canonical
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.common.envelope import Record, record_line
from letopis.common.leaf import leaf_bytes

README = """This is an evidence pack. To check it, alone and offline, with Python 3.11 or newer:

    unzip -p PACK.zip verify.pyz > verify.pyz      (or take a verify.pyz that you trust already)
    python3 verify.pyz PACK.zip
    python3 verify.pyz PACK.zip --key KEY --checkpoint FILE --policy POLICY

KEY is the log's verifier key as it was published to you; FILE is a checkpoint that you kept from before;
POLICY names the witnesses who must have signed, as it was published to you (C2SP tlog-policy).

ledgers/      whole ledgers: NAME.records are the facts, a line each; NAME.leaves what stands in the Merkle tree
excerpts/     single facts of other ledgers, their proofs of inclusion are in proofs.json
checkpoints/  signed tree heads (C2SP tlog-checkpoint)
witnessed/    the last tree heads that witnesses signed too (C2SP tlog-cosignature), if there are witnesses
report/       the report (JSON, which has authority, CSV, pages) and its definition; verify.pyz makes the JSON again
verify.html   the same for a single fact, in a browser without a network: open it, drop a proof file on it

Personal data in facts is sealed under keys that are not in this pack; commitments and proofs hold for the sealed text.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Facts of one ledger under one signed head; a whole ledger has no proofs, an excerpt one for each fact."""

    head: Checkpoint
    note: str
    records: Sequence[Record]
    proofs: Sequence[Sequence[bytes]] = ()
    consistency: Mapping[int, Sequence[bytes]] = field(default_factory=dict)
    # The last checkpoint of the ledger that witnesses signed, and the proof between it and the head.
    witnessed: str = ""
    between: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A report with its definition, CSV and pages, and of what it is a function.

    `whole` are ledgers it reads whole, `excerpts` positions of the single facts it reads of others, `heads` the
    ledgers whose heads stand in it; the envelope is there if the report was issued.
    """

    type: str
    definition: bytes
    document: bytes
    table: bytes
    asked: Mapping[str, str]
    whole: Sequence[str]
    heads: Sequence[str]
    excerpts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    pages: Mapping[str, bytes] = field(default_factory=dict)
    envelope: bytes = b""

    @property
    def stem(self) -> str:
        return f"report/{self.type}"

    def files(self) -> dict[str, bytes]:
        told = {".toml": self.definition, ".json": self.document, ".csv": self.table}
        told |= {f".{language}.pdf": one for language, one in self.pages.items()}
        told |= {".envelope.json": self.envelope} if self.envelope else {}
        return {f"{self.stem}{ending}": one for ending, one in told.items()}

    def told(self) -> dict[str, Any]:
        """As the manifest tells it."""
        return {
            "type": self.type,
            "definition": f"{self.stem}.toml",
            "member": f"{self.stem}.json",
            "envelope": f"{self.stem}.envelope.json" if self.envelope else "",
            "asked": dict(self.asked),
            "ledgers": sorted(self.whole),
            "heads": sorted(self.heads),
            "excerpts": {ledger: list(positions) for ledger, positions in self.excerpts.items()},
        }


def build(
    *,
    pack_id: str,
    created_at: str,
    scope: Mapping[str, Any],
    whole: Mapping[str, Part],
    excerpts: Mapping[str, Part],
    report: ReportFile,
    verifier: bytes,
    signer: Signer,
    keys: Sequence[Signer],
    ranges: Mapping[str, tuple[int, int]] | None = None,
    page: bytes = b"",
) -> bytes:
    """The pack's bytes; `signer` signs the manifest, `keys` are all signers of heads in it.

    `ranges` are stretches of positions that excerpts hold without a gap; `page` is the verifier for a browser.
    """
    parts = {**whole, **excerpts}
    files = {"README.txt": README.encode(), "verify.pyz": verifier}
    files |= {"verify.html": page} if page else {}
    files["keys.txt"] = "".join(f"{one.verifier().text()}\n" for one in (signer, *keys)).encode()
    for ledger, part in parts.items():
        files[f"checkpoints/{ledger}"] = part.note.encode()
        if part.witnessed:
            files[f"witnessed/{ledger}"] = part.witnessed.encode()
        stem = f"ledgers/{ledger}" if ledger in whole else f"excerpts/{ledger}"
        files[f"{stem}.records"] = b"".join(record_line(record) for record in part.records)
        files[f"{stem}.leaves"] = b"".join(leaf_bytes(record) + b"\n" for record in part.records)
    files["proofs.json"] = canonical(_proofs(parts, excerpts))
    files |= report.files()
    manifest = canonical(
        {
            "format": FORMAT,
            "pack_id": pack_id,
            "created_at": created_at,
            "scope": dict(scope),
            "ledgers": {ledger: _head(part.head) for ledger, part in parts.items()},
            "whole": sorted(whole),
            "excerpts": sorted(excerpts),
            "ranges": {ledger: list(span) for ledger, span in (ranges or {}).items()},
            "report": report.told(),
            "members": [
                {"name": name, "bytes": len(data), "sha256": sha256(data).hexdigest()}
                for name, data in sorted(files.items())
            ],
        }
    )
    signed = sign_note(f"{FORMAT}\n{sha256(manifest).hexdigest()}\n", signer).encode()
    return archive.written([(MANIFEST, manifest), (SIGNED, signed), *sorted(files.items())])


def manifest_of(pack: bytes) -> Any:
    """The manifest of a pack made here."""
    members, _ = archive.read(pack)
    return json.loads(next(member.data for member in members if member.name == MANIFEST))


def _head(head: Checkpoint) -> dict[str, Any]:
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}


def _proofs(parts: Mapping[str, Part], excerpts: Mapping[str, Part]) -> dict[str, Any]:
    return {
        "inclusion": {
            ledger: [
                {"position": record.position, "hashes": [one.hex() for one in proof]}
                for record, proof in zip(part.records, part.proofs, strict=True)
            ]
            for ledger, part in excerpts.items()
        },
        "consistency": {
            ledger: {str(old): [one.hex() for one in proof] for old, proof in part.consistency.items()}
            for ledger, part in excerpts.items()
        },
        "witnessed": {ledger: [one.hex() for one in part.between] for ledger, part in parts.items() if part.witnessed},
    }
