"""What the issuer keeps in the data directory: signing keys, people, client secrets. Made once, mode 0600."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from letopis.common.private_files import PrivateDocument, make_private_folder
from letopis.local.issuer.passwords import hashed
from letopis.local.issuer.people import Person
from letopis.local.issuer.totp import new_key
from letopis.local.vault import Vault, new_password

CONSUMER = "bank-app"
INVITATION_LASTS = timedelta(hours=24)
KEYS_KEPT = 2


def issuer_folder(data_dir: Path) -> Path:
    return data_dir / "state" / "issuer"


def secret_file(data_dir: Path, name: str) -> Path:
    """Where a confidential client's secret lies; the service reads the same file."""
    return data_dir / "secrets" / f"{name}.client_secret"


def ensure(data_dir: Path, services: Sequence[str], people: Sequence[Person] = ()) -> None:
    """Make whatever is missing: a signing key, the people, a secret for every service and for the bank's application.

    What is there stays as it is, so this may run at every start. Only the demonstration passes people; elsewhere
    they come by invitation.
    """
    folder = issuer_folder(data_dir)
    make_private_folder(folder)
    vault = Vault(data_dir / "secrets")
    for name in (*services, CONSUMER):
        vault.path(secret_file(data_dir, name).name, new_password)
    if not (folder / "keys.json").exists():
        rotate(folder)
    register(folder, people)


def rotate(folder: Path) -> str:
    """Sign with a new key from now on; the one before is still published, so that its tokens live out. The new kid."""
    key = OKPKey.generate_key("Ed25519")
    jwk = key.as_dict(private=True, kid=key.thumbprint(), use="sig", alg="Ed25519")
    with PrivateDocument(folder / "keys.json").change() as document:
        document["keys"] = [jwk, *document.get("keys", [])][:KEYS_KEPT]
    return str(jwk["kid"])


def register(folder: Path, people: Sequence[Person]) -> None:
    """Add people who are not there yet; they have no password."""
    users = PrivateDocument(folder / "users.json")
    known = users.read().get("users", {})
    if users.read() and all(one.login in known for one in people):
        return
    with users.change() as document:
        listed = document.setdefault("users", {})
        for one in people:
            listed.setdefault(one.login, {**asdict(one), "password": ""})


def invite(data_dir: Path, login: str, name: str, at: datetime | None = None) -> str:
    """A code with which somebody sets a password at /enrol, once, within a day; only its hash is kept."""
    code = secrets.token_urlsafe(18)
    until = (at or datetime.now(UTC)) + INVITATION_LASTS
    with PrivateDocument(issuer_folder(data_dir) / "users.json").change() as document:
        document.setdefault("invitations", {})[sha256(code.encode()).hexdigest()] = {
            "login": login,
            "name": name,
            "person": login,
            "until": until.isoformat(),
        }
    return code


class Users:
    """People who can log in, from the file as it is now."""

    def __init__(self, folder: Path) -> None:
        self._document = PrivateDocument(folder / "users.json")

    def everyone(self) -> list[Person]:
        return [_person(one) for one in self._document.read().get("users", {}).values()]

    def find(self, login: str) -> Person | None:
        stored = self._document.read().get("users", {}).get(login)
        return _person(stored) if stored else None

    def password_of(self, login: str) -> str:
        """The scrypt text, empty for somebody unknown or without a password."""
        return str(self._document.read().get("users", {}).get(login, {}).get("password", ""))

    def factor_of(self, login: str) -> str:
        """The key of the person's second factor in base32, empty without one."""
        return str(self._document.read().get("users", {}).get(login, {}).get("factor", ""))

    def invited(self, code: str, now: datetime) -> Person | None:
        """Whom the invitation is for, while it is good."""
        found = self._document.read().get("invitations", {}).get(sha256(code.encode()).hexdigest())
        if not found or datetime.fromisoformat(found["until"]) < now:
            return None
        return Person(login=found["login"], name=found["name"], person=found["person"])

    def enrol(self, code: str, password: str, now: datetime) -> Person | None:
        """Use up the invitation, set the password and a new second factor; None if the invitation is over."""
        stored = hashed(password)
        with self._document.change() as document:
            found = document.get("invitations", {}).pop(sha256(code.encode()).hexdigest(), None)
            if not found or datetime.fromisoformat(found["until"]) < now:
                return None
            person = Person(login=found["login"], name=found["name"], person=found["person"])
            before = document.setdefault("users", {}).get(person.login, {})
            document["users"][person.login] = {**asdict(person), **before, "password": stored, "factor": new_key()}
        return person


class SigningKeys:
    """The first key signs; all are published."""

    def __init__(self, folder: Path) -> None:
        self._document = PrivateDocument(folder / "keys.json")

    def current(self) -> tuple[str, OKPKey]:
        """Key id and private key."""
        jwk = self._document.read()["keys"][0]
        return jwk["kid"], OKPKey.import_key(jwk)

    def find(self, kid: str) -> OKPKey | None:
        return next((OKPKey.import_key(jwk) for jwk in self._document.read()["keys"] if jwk["kid"] == kid), None)

    def published(self) -> dict[str, Any]:
        """The key set (RFC 7517) without private parts."""
        keys = self._document.read()["keys"]
        return {"keys": [{name: value for name, value in jwk.items() if name != "d"} for jwk in keys]}


def _person(stored: dict[str, Any]) -> Person:
    return Person(
        login=stored["login"],
        name=stored["name"],
        person=stored.get("person", ""),
        groups=tuple(stored.get("groups", ())),
        roles=tuple(stored.get("roles", ())),
    )
