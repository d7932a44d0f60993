"""What `letopis up` will run: data directory, profile, ports, and which parts are replaced by a URL."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from letopis.common.errors import LetopisError
from letopis.local.ports import taken
from letopis.local.topology import BASE_PORT, KEY_CALLERS, OFFSETS, SERVICES, Service

LOOPBACK = "127.0.0.1"
STEP = 20
Profile = Literal["demo", "local", "bank"]
KEY_STORE = "letopis.audit.subject_keys"

# A part whose URL is given is not started.
REPLACEABLE = {
    "postgres": "LETOPIS_POSTGRES_URL",
    "nats": "LETOPIS_NATS_URL",
    "valkey": "LETOPIS_VALKEY_URL",
    "opa": "LETOPIS_OPA_URL",
    "issuer": "LETOPIS_OIDC_ISSUER",
    "subject_keys": "LETOPIS_SUBJECT_KEYS_URL",
    "mlflow": "LETOPIS_MLFLOW_URL",
}


class UnknownService(LetopisError):
    """A service was asked for that is not installed."""

    code = "local.unknown_service"
    title = "There is no such service here"


class PortTaken(LetopisError):
    """Somebody else listens where a part should."""

    code = "local.port_taken"
    title = "A port is taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One stack under one data directory; `given` holds the URLs of parts that run elsewhere."""

    data: Path
    profile: Profile
    base_port: int
    services: tuple[Service, ...]
    given: Mapping[str, str]
    mlflow: bool

    def port(self, part: str) -> int:
        return self.base_port + OFFSETS[part]

    def address(self, part: str) -> str:
        """Where a part that speaks HTTP listens."""
        return self.given.get(part) or f"http://{LOOPBACK}:{self.port(part)}"

    def runs(self, part: str) -> bool:
        return part not in self.given

    def folder(self, *names: str) -> Path:
        """A folder under the data directory, made if it is missing."""
        path = self.data.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def log(self, part: str) -> Path:
        return self.folder("logs") / f"{part}.log"


def installed_services() -> tuple[Service, ...]:
    """The services whose packages can be started here."""
    return tuple(service for service in SERVICES if _has_main(f"letopis.{service.name}"))


def chosen_services(names: str | None) -> tuple[Service, ...]:
    """The installed services, or those named (`registry,audit`; `none` for the parts alone)."""
    installed = {service.name: service for service in installed_services()}
    if names is None:
        return tuple(installed.values())
    wanted = [] if names == "none" else names.split(",")
    if unknown := sorted(set(wanted) - set(installed)):
        raise UnknownService(f"{', '.join(unknown)} (installed: {', '.join(installed) or 'none'})")
    return tuple(installed[name] for name in wanted)


def _has_main(package: str) -> bool:
    return find_spec(package) is not None and find_spec(f"{package}.__main__") is not None


def has_issuer() -> bool:
    return _has_main("letopis.local.issuer")


def has_key_store(plan: Plan) -> bool:
    """Whether this plan runs the key store: it is installed, not given, and one of the services asks it."""
    return (
        plan.runs("subject_keys")
        and _has_main(KEY_STORE)
        and any(service.name in KEY_CALLERS for service in plan.services)
    )


def make_plan(
    data: Path, *, profile: Profile, base_port: int | None, mlflow: bool, services: tuple[Service, ...]
) -> Plan:
    """Settle everything before anything starts; the data directory remembers its ports, PortTaken if one is taken.

    Addresses stay the same from run to run, because the issuer's is part of recorded facts.
    """
    data = data.absolute()
    # Root may have to let another user through to PostgreSQL's folder; every folder below is closed itself.
    data.mkdir(parents=True, exist_ok=True, mode=0o700 if os.geteuid() else 0o711)
    given = given_parts()
    plan = Plan(
        data=data,
        profile=profile,
        base_port=base_port or remembered_base(data) or _free_base(),
        services=services,
        given=given,
        mlflow=mlflow and "mlflow" not in given and find_spec("mlflow") is not None,
    )
    if busy := sorted(port for part in OFFSETS if taken(LOOPBACK, port := plan.port(part)) and plan.runs(part)):
        raise PortTaken(
            f"port {', '.join(map(str, busy))} on {LOOPBACK} is taken; stop what listens there or choose others "
            f"with --port-base N (N to N+{max(OFFSETS.values())} are used)",
            ports=busy,
        )
    (data / "ports.json").write_bytes(msgspec.json.encode({"base": plan.base_port}))
    return plan


def given_parts() -> dict[str, str]:
    """The URLs of parts that the environment says run elsewhere."""
    return {part: os.environ[name].rstrip("/") for part, name in REPLACEABLE.items() if os.environ.get(name)}


def remembered_base(data: Path) -> int | None:
    """The first port that a stack over this directory used last."""
    try:
        return msgspec.json.decode((data / "ports.json").read_bytes(), type=dict[str, int])["base"]
    except FileNotFoundError:
        return None


def _free_base() -> int:
    bases = range(BASE_PORT, BASE_PORT + 20 * STEP, STEP)
    return next(
        (base for base in bases if not any(taken(LOOPBACK, base + offset) for offset in OFFSETS.values())), BASE_PORT
    )
