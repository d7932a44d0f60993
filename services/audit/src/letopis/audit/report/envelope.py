"""The envelope of an issued report: who asked, why, under which policy, of what it is a function; signed. Pure."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from letopis.audit.evidence.verifier.pack import ENVELOPE, canonical
from letopis.audit.log.note import Signer, sign_note
from letopis.audit.report.events import ReportIssued
from letopis.common.envelope import Record, time_text


def envelope(record: Record, fact: ReportIssued, redaction: Mapping[str, str], signer: Signer) -> bytes:
    """The signed envelope of one issue, from the fact that records it; Ed25519 gives the same bytes every time."""
    meta: Any = json.loads(record.meta)
    authorization = meta.get("authorization") or {}
    told = {
        "format": ENVELOPE,
        "report": {
            "report_id": fact.report_id,
            "type": fact.type,
            "schema_version": fact.schema_version,
            "scope": fact.scope,
            "rows": fact.rows,
            "checks": fact.checks,
            "redaction": redaction,
            "definition_sha256": fact.definition_sha256,
            "generator_sha256": fact.generator_sha256,
        },
        "files": {
            "json": fact.sha256,
            "csv": fact.csv_sha256,
            **{f"pdf.{language}": digest for language, digest in fact.pdf_sha256.items()},
        },
        "issued": {
            "event_id": str(record.event_id),
            "position": f"{record.ledger}/{record.position}",
            "recorded_at": time_text(record.recorded_at),
            "by": fact.by,
            "purpose": meta.get("purpose", ""),
            "authorization_id": authorization.get("authorization_id", ""),
            "policy_revision": authorization.get("revision", ""),
        },
        "ledgers": {
            ledger: {"first": 1 if last else 0, "last": last, "root": fact.roots[ledger], "gaps": 0}
            for ledger, last in fact.positions.items()
        },
    }
    note = sign_note(f"{ENVELOPE}\n{sha256(canonical(told)).hexdigest()}\n", signer)
    return canonical({"envelope": told, "note": note})
