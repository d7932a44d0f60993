"""Who is in the stack: services, the ledgers they own, the ledgers they follow, the ports they get."""

from dataclasses import dataclass

from letopis.common.ledgers import LEDGERS, OWNERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: what it follows comes to it through a durable consumer `<name>_<ledger>`."""

    name: str
    port_offset: int
    follows: tuple[str, ...]

    @property
    def owns(self) -> tuple[str, ...]:
        return tuple(ledger for ledger, owner in OWNERS.items() if owner == self.name)


# Decisions are millions; the console asks for one by its number.
CONSOLE = Service(
    name="console", port_offset=0, follows=tuple(one for one in LEDGERS if one not in {"decisions", "console"})
)
REGISTRY = Service(name="registry", port_offset=1, follows=())
FEATURES = Service(name="features", port_offset=2, follows=("registry",))
INFERENCE = Service(name="inference", port_offset=3, follows=("registry", "features"))
MONITORING = Service(name="monitoring", port_offset=4, follows=("registry", "features", "inference", "decisions"))
AUDIT = Service(name="audit", port_offset=5, follows=LEDGERS)
SERVICES = (REGISTRY, FEATURES, INFERENCE, MONITORING, AUDIT, CONSOLE)

OFFSETS = {service.name: service.port_offset for service in SERVICES} | {
    "issuer": 6,
    "mlflow": 7,
    "opa": 8,
    "postgres": 9,
    "nats": 10,
    "valkey": 11,
    "subject_keys": 12,
}
# Services that seal personal fields or read sealed ones, and audit, which has keys destroyed.
KEY_CALLERS = ("registry", "inference", "monitoring", "audit")
BASE_PORT = 8400


def stream_of(ledger: str) -> str:
    return f"LEDGER_{ledger}"
