"""Mutual TLS between services: both ends show a certificate of the installation's own authority, or nothing is said.

Off unless certificates are given; a mesh that does it outside leaves it off. TLS 1.3 only.
"""

import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from letopis.common.settings import ServiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Our certificate with its key, and the authority whose certificates we trust."""

    certificate: Path
    key: Path
    authority: Path


def certificates_of(settings: ServiceSettings) -> Certificates | None:
    """The certificates of a process; ValueError if only some of the three files are named."""
    named = (settings.tls_certificate_file, settings.tls_key_file, settings.tls_authority_file)
    match named:
        case (None, None, None):
            return None
        case (Path() as certificate, Path() as key, Path() as authority):
            return Certificates(certificate=certificate, key=key, authority=authority)
        case _:
            raise ValueError(
                "mutual TLS needs all of TLS_CERTIFICATE_FILE, TLS_KEY_FILE and LETOPIS_TLS_AUTHORITY_FILE"
            )


def client_context(settings: ServiceSettings) -> ssl.SSLContext:
    """What an HTTP client verifies others with, and shows to them."""
    own = certificates_of(settings)
    return _public() if own is None else _client(own)


def server_options(settings: ServiceSettings) -> dict[str, Any]:
    """What uvicorn is told; a client without a certificate of our authority gets no handshake."""
    own = certificates_of(settings)
    if own is None:
        return {}
    return {
        "ssl_certfile": own.certificate,
        "ssl_keyfile": own.key,
        "ssl_ca_certs": str(own.authority),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }


@cache
def _public() -> ssl.SSLContext:
    """The authorities that everybody knows, read once a process, and nothing to show."""
    return httpx.create_ssl_context(trust_env=False)


def _client(own: Certificates) -> ssl.SSLContext:
    # Only our own authority counts: who is in the machine's store is nobody to us.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cafile=own.authority)
    context.load_cert_chain(own.certificate, own.key)
    return context
