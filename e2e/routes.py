"""Every route of every service, as the running code lists them, with its action and whether strangers may ask."""

import importlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from e2e.stacks import Stack

# A value for each parameter of a path that is well formed and names nothing.
PARAMETERS = {
    "ledger": "registry",
    "sha256": "0" * 64,
    "level": "0",
    "path": "000",
}
NOBODY = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`path` is the pattern, `place` the same with every parameter filled."""

    service: str
    method: str
    path: str
    place: str
    public: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@contextmanager
def settings_of(stack: Stack, service: str):
    with mock.patch.dict(os.environ, stack.environment(service)):
        yield


def routes_of(stack: Stack, service: str) -> list[Route]:
    """The guard's own table of a service."""
    process = importlib.import_module(f"letopis.{service}.worker").PROCESS
    with settings_of(stack, service):
        app = process.create_app(process.settings(), lambda ledger, position: None)
    return [
        Route(service=service, method=rule.method, path=rule.path, place=_filled(rule.path), public=rule.public)
        for rule in app.state.routes.rules
    ]


def _filled(path: str) -> str:
    parts = []
    for part in path.split("/"):
        name = part.strip("{}").partition(":")[0]
        parts.append(PARAMETERS.get(name, NOBODY) if part.startswith("{") else part)
    return "/".join(parts)
