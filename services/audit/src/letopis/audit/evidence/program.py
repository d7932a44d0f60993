"""Makes `verify.pyz`, the verifier as one file: the verifier's modules, the reports' code, and an entry."""

import io
from importlib.resources import files
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from letopis.audit.report import inventory

ENTRY = """import sys

from reports import inventory
from verifier.command import main

sys.exit(main({inventory.TYPE: inventory.build}))
"""


def verify_pyz() -> bytes:
    """The program's bytes; the same sources always give the same bytes on one version of zlib."""
    verifier = files("letopis.audit.evidence.verifier")
    modules = {f"verifier/{one.name}": one.read_bytes() for one in verifier.iterdir() if one.name.endswith(".py")}
    modules["reports/__init__.py"] = b""
    modules["reports/inventory.py"] = files("letopis.audit.report").joinpath("inventory.py").read_bytes()
    modules["__main__.py"] = ENTRY.encode()
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, source in sorted(modules.items()):
            about = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            about.compress_type = ZIP_DEFLATED
            archive.writestr(about, source, compresslevel=9)
    return b"#!/usr/bin/env python3\n" + out.getvalue()


REPORTS = {inventory.TYPE: inventory.build}
