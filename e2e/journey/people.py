"""Act: the first administrator enrols, registers everybody, and signers enrol their keys."""

from base64 import b64encode

from e2e.journey.world import Problem, World

STAFF = {
    "anna": ("Anna", ["data_scientist", "ml_engineer"]),
    "boris": ("Boris", ["model_owner"]),
    "vera": ("Vera", ["validator", "risk_officer"]),
    "oleg": ("Oleg", ["data_engineer"]),
    "irina": ("Irina", ["auditor"]),
    "pavel": ("Pavel", ["security_officer", "administrator"]),
    "rita": ("Rita", ["regulator"]),
}
CONSUMER = "bank-app"
SIGNERS = ("boris", "vera")


def enrol(world: World) -> None:
    """Everybody is known afterwards; a second run finds them and changes nothing."""
    olga = world["olga"]
    token = (world.data_dir / "secrets" / "registry.enrolment_token").read_text("utf-8").strip()
    try:
        olga.post("registry", "/v1/principals/first", {"token": token, "person": "olga", "name": "Olga"})
    except Problem as problem:
        if "enrolment.used" not in problem.rules and problem.document.get("code") != "principal.exists":
            raise
    for login, (name, roles) in STAFF.items():
        register(world, login, name, "human", roles)
    register(world, CONSUMER, "The bank's lending application", "service", ["consumer"])
    for login in SIGNERS:
        key = {"public_key": b64encode(world[login].public_key).decode()}
        world[login].post("registry", f"/v1/principals/{login}/keys", key)
    world.tell("Olga", f"enrols as first administrator, registers {len(STAFF)} people and one application")


def register(world: World, login: str, name: str, kind: str, roles: list[str]) -> None:
    body = {"login": login, "person": login, "name": name, "kind": kind, "organisation": "bank", "roles": roles}
    try:
        world["olga"].post("registry", "/v1/principals", body)
    except Problem as problem:
        if problem.document.get("code") != "principal.exists":
            raise
