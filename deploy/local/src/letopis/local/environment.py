"""What a process of the stack learns from its environment: URLs of all parts, its own secrets, port and folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from letopis.common.policy.amending import amended
from letopis.common.policy.bundle import new_key
from letopis.common.policy.sources import Bundle, bundle_of, collect
from letopis.common.private_files import write_private
from letopis.local.nats import subscribers
from letopis.local.nats.keys import new_seed, public_key
from letopis.local.nats.permissions import NatsUser, of_administrator, of_service
from letopis.local.opa import server as opa
from letopis.local.plan import LOOPBACK, Plan
from letopis.local.postgres import provision
from letopis.local.postgres.server import SUPERUSER
from letopis.local.topology import KEY_CALLERS, REGISTRY, SERVICES, Service
from letopis.local.valkey import server as valkey
from letopis.local.vault import Vault, new_ed25519, new_password

KEYS = "subject_keys"
# Callers of the demo that are programs of the bank, not services of ours.
CONSUMERS = ("bank-app",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """All secrets of a stack, by who needs them, and the policy it stands under; files are made when it is opened."""

    postgres: str
    valkey: str
    policy: Bundle
    policy_base: str
    policy_key: Path
    opa_token: Path
    admin_seed: Path
    seeds: Mapping[str, Path]
    roles: Mapping[str, Mapping[str, str]]
    signing_keys: Mapping[str, Path]
    client_secrets: Mapping[str, Path]
    key_secrets: Mapping[str, Path]
    enrolment_token: Path


def open_secrets(plan: Plan) -> Secrets:
    """Read the stack's secrets, making those that never were."""
    vault = Vault(plan.folder("secrets"))
    names = [service.name for service in SERVICES]
    rooms = collect()
    return Secrets(
        postgres=vault.password("postgres_password"),
        valkey=vault.password("valkey_password"),
        policy=amended(rooms, opa.released(plan.folder("opa"))),
        policy_base=bundle_of(rooms).revision,
        opa_token=vault.path("opa_token", new_password),
        policy_key=vault.path("policy.signing_key", lambda: new_key().decode("ascii")),
        admin_seed=vault.path("admin.nats_seed", new_seed),
        seeds={name: vault.path(f"{name}.nats_seed", new_seed) for name in names},
        roles={
            name: {role: vault.password(f"{name}.{role}_password") for role in provision.ROLES}
            for name in (*names, KEYS)
        },
        signing_keys={name: vault.path(f"{name}.signing_key", new_ed25519) for name in names},
        client_secrets={name: vault.path(f"{name}.client_secret", new_password) for name in (*names, *CONSUMERS)},
        key_secrets={name: vault.path(f"{name}.{KEYS}_secret", new_password) for name in KEY_CALLERS},
        # Shown once to the registry by the first administrator of a fresh installation.
        enrolment_token=vault.path("registry.enrolment_token", new_password),
    )


def nats_users(plan: Plan, secrets: Secrets) -> list[NatsUser]:
    """Every service, present or not, so that one installed later needs no new configuration; outside systems."""
    keys = {name: public_key(path.read_text("ascii")) for name, path in secrets.seeds.items()}
    users = [of_service(service, keys[service.name]) for service in SERVICES]
    administrator = of_administrator(public_key(secrets.admin_seed.read_text("ascii")))
    return [*users, administrator, *subscribers.users(plan.data)]


def superuser_url(plan: Plan, secrets: Secrets) -> str:
    if "postgres" in plan.given:
        return plan.given["postgres"]
    return f"postgresql://{SUPERUSER}:{secrets.postgres}@{LOOPBACK}:{plan.port('postgres')}/postgres"


def nats_url(plan: Plan) -> str:
    return plan.given.get("nats") or f"nats://{LOOPBACK}:{plan.port('nats')}"


def valkey_url(plan: Plan, secrets: Secrets) -> str:
    return plan.given.get("valkey") or valkey.url(LOOPBACK, plan.port("valkey"), secrets.valkey)


def shared(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """What every process is told."""
    objects = plan.folder("objects").as_uri()
    urls = {f"LETOPIS_{service.name.upper()}_URL": plan.address(service.name) for service in SERVICES}
    return {
        "LETOPIS_PROFILE": plan.profile,
        "LETOPIS_DATA_DIR": str(plan.data),
        "LETOPIS_NATS_URL": nats_url(plan),
        "LETOPIS_VALKEY_URL": valkey_url(plan, secrets),
        "LETOPIS_OPA_URL": plan.address("opa"),
        "LETOPIS_OIDC_ISSUER": plan.address("issuer"),
        "LETOPIS_MLFLOW_URL": plan.address("mlflow"),
        "LETOPIS_SUBJECT_KEYS_URL": plan.address(KEYS),
        "LETOPIS_OBJECT_STORE_URL": os.environ.get("LETOPIS_OBJECT_STORE_URL", objects),
        **urls,
        **_policy(plan, secrets),
    }


def _policy(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """Of our own engine: who may ask it, and the only revision whose answers count. Of another its owner says so."""
    if not plan.runs("opa"):
        return {}
    return {
        "LETOPIS_OPA_TOKEN_FILE": str(secrets.opa_token),
        "LETOPIS_POLICY_BASE": secrets.policy_base,
        "LETOPIS_POLICY_REVISION": secrets.policy.revision,
    }


def of_service_process(plan: Plan, secrets: Secrets, service: Service) -> dict[str, str]:
    """What a service is told; a name the user has set already is left as it is, its secrets included."""
    database = provision.describe(superuser_url(plan, secrets), service.name, secrets.roles[service.name])
    own = {
        "DATABASE_URL": database.app_url,
        "OWNER_URL": database.owner_url,
        "PROJECTOR_URL": database.projector_url,
        "NATS_SEED_FILE": str(secrets.seeds[service.name]),
        "CLIENT_SECRET_FILE": str(secrets.client_secrets[service.name]),
        "SIGNING_KEY_FILE": str(secrets.signing_keys[service.name]),
        "STATE_DIR": str(plan.folder("state", service.name)),
        "HOST": LOOPBACK,
        "PORT": str(plan.port(service.name)),
    }
    if service.name in KEY_CALLERS:
        own["SUBJECT_KEYS_SECRET_FILE"] = str(secrets.key_secrets[service.name])
    if service is REGISTRY:
        own["ENROLMENT_TOKEN_FILE"] = str(secrets.enrolment_token)
        if plan.runs("opa"):
            # Publishing signs the bundle and lays it where the engine looks.
            own["POLICY_KEY_FILE"] = str(secrets.policy_key)
            own["POLICY_FOLDER"] = str(plan.folder("opa"))
    prefix = f"LETOPIS_{service.name.upper()}_"
    named = {prefix + key: value for key, value in own.items()}
    return shared(plan, secrets) | named | {key: os.environ[key] for key in named if key in os.environ}


def of_key_store(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """What the key store is told; its folder holds the master key and who may ask, by the hash of their secrets."""
    database = provision.describe(superuser_url(plan, secrets), KEYS, secrets.roles[KEYS])
    folder = plan.folder("state", KEYS)
    hashes = {
        name: sha256(path.read_text("ascii").strip().encode()).hexdigest() for name, path in secrets.key_secrets.items()
    }
    write_private(folder / "callers.json", msgspec.json.encode(hashes).decode())
    own = {
        "DATABASE_URL": database.app_url,
        "OWNER_URL": database.owner_url,
        "PROJECTOR_URL": database.projector_url,
        "STATE_DIR": str(folder),
        "CALLERS_FILE": str(folder / "callers.json"),
        "HOST": LOOPBACK,
        "PORT": str(plan.port(KEYS)),
    }
    return {f"LETOPIS_SUBJECT_KEYS_{key}": value for key, value in own.items()}


def of_issuer(plan: Plan, secrets: Secrets) -> dict[str, str]:
    """What the local issuer is told."""
    return shared(plan, secrets) | {
        "LETOPIS_ISSUER_HOST": LOOPBACK,
        "LETOPIS_ISSUER_PORT": str(plan.port("issuer")),
        "LETOPIS_ISSUER_STATE_DIR": str(plan.folder("state", "issuer")),
    }
