"""Which policy engine runs, over which signed bundle, and whether it answers."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from letopis.common.policy.bundle import build, public_half, verify_bundle
from letopis.common.policy.sources import Bundle
from letopis.local.child import Program
from letopis.local.probe import healthy

# The library's collector, set to spend a little time for a third less memory.
FRUGAL = {"GOGC": "40"}


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
    aside.write_bytes(build(bundle, private_pem))
    aside.rename(signed.archive)
    verify_bundle(signed.archive, signed.public_key.read_bytes())
    return signed


def executable() -> str | None:
    """`opa` on PATH, if there is one; it is preferred to the library."""
    return shutil.which("opa")


def program(policy: SignedPolicy, log: Path, host: str, port: int) -> Program:
    """The engine as a program: OPA's own server, else ours."""
    if opa := executable():
        options = ["--addr", f"{host}:{port}", "--disable-telemetry", "--log-level", "error"]
        # The signature was verified by our code a moment ago.
        return Program(
            argv=[opa, "run", "--server", *options, "--bundle", str(policy.archive), "--skip-verify"], log=log
        )
    return Program(argv=[sys.executable, "-m", "letopis.local.opa.loopback", *loopback(policy, host, port)], log=log)


def loopback(policy: SignedPolicy, host: str, port: int) -> list[str]:
    """The arguments of our loopback server."""
    return [str(policy.archive), str(policy.public_key), host, str(port)]


def answers(url: str) -> bool:
    """Whether the engine says it is healthy."""
    return healthy(f"{url}/health")
