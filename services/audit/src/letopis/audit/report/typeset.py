"""Pages of a report: typst over the report's JSON, with the fonts that its program carries and no others."""

import json
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from letopis.audit.report.definition import LANGUAGES

# Libertinus Serif (OFL 1.1) and DejaVu Sans Mono (Bitstream Vera licence) lie in typst's own program: a closed
# perimeter needs no font of its own, and every machine draws the same pages.


def pages(document: bytes, language: str) -> bytes:
    """The report's pages as PDF; the same document gives the same bytes under one version of typst."""
    import typst

    told = {
        "document": document.decode(),
        "words": json.dumps(_words()[language], ensure_ascii=False),
        "lang": language,
        "sha256": sha256(document).hexdigest(),
        "typst": version("typst"),
    }
    made: bytes = typst.compile(_template(), format="pdf", ignore_system_fonts=True, sys_inputs=told)
    return made


def pdfs(document: bytes) -> dict[str, bytes]:
    """The pages in every language."""
    return {language: pages(document, language) for language in LANGUAGES}


@cache
def _template() -> bytes:
    return files("letopis.audit.report").joinpath("report.typ").read_bytes()


@cache
def _words() -> dict[str, Any]:
    """What the pages say around the report, by language; what stands in facts is English, and said in the reader's."""
    told: dict[str, Any] = json.loads(files("letopis.audit.report").joinpath("words.json").read_bytes())
    return told
