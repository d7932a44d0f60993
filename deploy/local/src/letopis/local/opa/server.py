"""Which policy engine runs, over which signed bundle, and whether it answers.

OPA's own server, if there is one new enough on PATH: it verifies the bundle again with the same key and lets nobody in
who does not hold the token. Else our loopback server over the library, which profile `bank` refuses.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letopis.common.policy.bundle import build, public_half, verify_bundle
from letopis.common.policy.sources import Bundle
from letopis.common.private_files import write_private
from letopis.local.child import PartError, Program
from letopis.local.probe import healthy

# The library's collector, set to spend a little time for a third less memory.
FRUGAL = {"GOGC": "40"}
# Older servers can be made to take a bundle nobody signed.
OLDEST = (1, 21, 3)
KEY = "policy"
# Beside the archive: which release it is, for whoever composes it anew from other rooms.
RELEASE = "release.json"
_VERSION = re.compile(r"^Version:\s*(\d+)\.(\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """Files of a signed bundle and of the key it was signed with."""

    archive: Path
    public_key: Path


def sign(bundle: Bundle, private_pem: bytes, folder: Path) -> SignedPolicy:
    """Write the bundle and the public key; verified again as every reader must, before an engine sees it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signed = SignedPolicy(archive=folder / "bundle.tar.gz", public_key=folder / "bundle.pub.pem")
    signed.public_key.write_bytes(public_half(private_pem))
    aside = folder / "bundle.new"
    aside.write_bytes(build(bundle, private_pem, key_id=KEY))
    aside.rename(signed.archive)
    verify_bundle(signed.archive, signed.public_key.read_bytes())
    return signed


def released(folder: Path) -> dict[str, Any]:
    """The changes of the release in force, as the registry left them when it was published; none before the first."""
    try:
        changes: dict[str, Any] = json.loads((folder / RELEASE).read_bytes())["changes"]
    except FileNotFoundError:
        return {}
    return changes


def executable(path: str | None = None) -> str | None:
    """OPA's own server on PATH (or on the given one), if it is new enough; it is preferred to the library."""
    found = shutil.which("opa", path=path)
    if found is None:
        return None
    told = subprocess.run([found, "version"], capture_output=True, text=True, check=False, timeout=30).stdout
    version = _VERSION.search(told)
    return found if version and tuple(map(int, version.groups())) >= OLDEST else None


def chosen(profile: str) -> str | None:
    """The server to run, None for the library; PartError where a bank would run on the library."""
    found = executable()
    if found is None and profile == "bank":
        oldest = ".".join(map(str, OLDEST))
        raise PartError(f"profile bank needs OPA's own server: put `opa` {oldest} or newer on PATH, or give its URL")
    return found


def official(opa: str, policy: SignedPolicy, log: Path, host: str, port: int, token: Path | None = None) -> Program:
    """OPA's own server. Files beside the bundle say what it verifies by and whom it answers."""
    folder = policy.archive.parent
    key = {"algorithm": "ES256", "key": policy.public_key.read_text("ascii")}
    # A file is read once: the server of a newer bundle is a newly started one.
    bundle = {"resource": policy.archive.absolute().as_uri(), "signing": {"keyid": KEY}}
    config = folder / "opa.json"
    config.write_text(json.dumps({"bundles": {"letopis": bundle}, "keys": {KEY: key}}), "ascii")
    options = ["--addr", f"{host}:{port}", "--skip-version-check", "--log-level", "error"]
    # Policy data is read with every question and written once.
    options += ["--optimize-store-for-read-speed"]
    options += ["--config-file", str(config.absolute())]
    if token is not None:
        authz = folder / "authz.rego"
        write_private(authz, _AUTHZ % json.dumps(token.read_text("ascii").strip()))
        options += ["--authentication=token", "--authorization=basic", str(authz.absolute())]
    return Program(argv=[opa, "run", "--server", *options], log=log)


def program(policy: SignedPolicy, log: Path, host: str, port: int) -> Program:
    """The engine as a program, for tests: OPA's own server, else ours."""
    if opa := executable():
        return official(opa, policy, log, host, port)
    return Program(argv=[sys.executable, "-m", "letopis.local.opa.loopback", *loopback(policy, host, port)], log=log)


def loopback(policy: SignedPolicy, host: str, port: int, token: Path | None = None) -> list[str]:
    """The arguments of our loopback server."""
    named = [str(policy.archive), str(policy.public_key), host, str(port)]
    return named if token is None else [*named, str(token)]


def answers(url: str) -> bool:
    """Whether the engine says it is healthy and holds its bundle."""
    return healthy(f"{url}/health?bundles")


_AUTHZ = """package system.authz

import rego.v1

default allow := false

# One question is answered, and to those who hold the token.
allow if {
	input.method == "POST"
	["v1", "data", "letopis", _, "authorize"] = input.path
	input.identity == %s
}

allow if {
	input.method == "GET"
	input.path == ["health"]
}
"""
