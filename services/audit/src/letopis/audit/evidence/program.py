"""Makes `verify.pyz`, the verifier as one file: the verifier's modules, the reports' code, and an entry."""

import io
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from letopis.audit.claim import document as claims
from letopis.audit.report.definition import parse
from letopis.audit.report.document import CODE, build

ENTRY = """import sys

from claims import document as claims
from reports.definition import parse
from reports.document import build
from verifier.command import main


def remade(definition, facts, heads, asked):
    if definition == claims.DEFINITION:
        return claims.build(facts, heads)
    return build(parse(definition), facts, heads, asked)


sys.exit(main(remade))
"""


def verify_pyz() -> bytes:
    """The program's bytes; the same sources always give the same bytes on one version of zlib."""
    verifier = files("letopis.audit.evidence.verifier")
    modules = {f"verifier/{one.name}": one.read_bytes() for one in verifier.iterdir() if one.name.endswith(".py")}
    modules["reports/__init__.py"] = b""
    modules |= {f"reports/{name}": files("letopis.audit.report").joinpath(name).read_bytes() for name in CODE}
    modules["claims/__init__.py"] = b""
    modules |= {f"claims/{name}": files("letopis.audit.claim").joinpath(name).read_bytes() for name in claims.FILES}
    modules["__main__.py"] = ENTRY.encode()
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, source in sorted(modules.items()):
            about = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            about.compress_type = ZIP_DEFLATED
            archive.writestr(about, source, compresslevel=9)
    return b"#!/usr/bin/env python3\n" + out.getvalue()


def remade(
    definition: bytes,
    facts: Mapping[str, Iterable[Mapping[str, str]]],
    heads: Mapping[str, Mapping[str, Any]],
    asked: Mapping[str, str],
) -> bytes:
    """The report of a pack, made again."""
    if definition == claims.DEFINITION:
        return claims.build(facts, heads)
    return build(parse(definition), facts, heads, asked)
