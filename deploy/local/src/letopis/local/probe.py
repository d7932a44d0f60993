"""Questions to a part over HTTP: short, without threads, and never an exception."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit


def ask(url: str, limit: float = 2.0) -> tuple[int, Any]:
    """Status and JSON of a GET, (0, None) if there is no answer within `limit` seconds."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=limit)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException):
        return 0, None
    finally:
        connection.close()
    try:
        return response.status, json.loads(body)
    except ValueError:
        return response.status, None


def healthy(url: str, limit: float = 2.0) -> bool:
    """Whether a GET is answered with 200."""
    return ask(url, limit)[0] == 200
