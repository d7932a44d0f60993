"""The verifier for a browser: one page that checks one fact, without a network."""

from functools import cache
from importlib.resources import files


@cache
def verify_html() -> bytes:
    """The page's bytes."""
    return files("letopis.audit.evidence").joinpath("verify.html").read_bytes()
