"""The command that makes certificates for mutual TLS."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from letopis.local.certificates import ensure_authority, issue
from letopis.local.topology import SERVICES

LOOPBACK = ("localhost", "127.0.0.1")


def certificates(folder: Path, *, host: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = LOOPBACK) -> int:
    """Make an authority, if there is none, and a new certificate for every service, good for 90 days.

    Parameters
    ----------
    folder
        Where they go; keys have mode 0600. The authority's key belongs into a safe afterwards.
    host
        Names and addresses under which services are reached.
    """
    authority, out = ensure_authority(folder), Console(soft_wrap=True)
    out.print(f"LETOPIS_TLS_AUTHORITY_FILE={authority}", highlight=False)
    for service in SERVICES:
        certificate, key = issue(folder, service.name, host)
        for name, path in (("CERTIFICATE", certificate), ("KEY", key)):
            out.print(f"LETOPIS_{service.name.upper()}_TLS_{name}_FILE={path}", highlight=False)
    return 0
