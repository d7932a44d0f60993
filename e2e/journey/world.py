"""The stack as a user sees it: addresses, people with tokens and keys, and a line told for each act."""

import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DEMO_GRANT = "urn:letopis:params:oauth:grant-type:demo"
PATIENCE = 120.0
# Denials that say only that policy could not be asked now; everything else is final.
PASSING = frozenset({"policy.late", "policy.away", "policy.revision"})


class Problem(Exception):
    """An RFC 9457 problem that an act did not expect."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        reasons = "; ".join(f"{one['rule']}: {one['message']}" for one in document.get("reasons", []))
        super().__init__(f"{status} {document.get('code', '')} {document.get('detail', '')} {reasons}".strip())
        self.status = status
        self.document = document

    @property
    def rules(self) -> list[str]:
        return [one["rule"] for one in self.document.get("reasons", [])]


def _again(answer: httpx.Response) -> bool:
    """Whether the answer asks to try again: a part is away, or policy did not answer in time."""
    if answer.status_code == 403:
        return any(one["rule"] in PASSING for one in answer.json().get("reasons", []))
    return answer.status_code == 503


@dataclass(slots=True)
class World:
    """Where everything is. `tell` is given who and what, once for each act."""

    data_dir: Path
    urls: dict[str, str]
    accounts: int
    tell: Callable[[str, str], None]
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=120, trust_env=False))
    positions: dict[str, int] = field(default_factory=dict)
    people: dict[str, "Actor"] = field(default_factory=dict)

    @classmethod
    def of(cls, data_dir: Path, accounts: int, tell: Callable[[str, str], None]) -> "World":
        """The stack that runs on a data directory."""
        urls = json.loads((data_dir / "endpoints.json").read_text("utf-8"))
        return cls(data_dir, urls, accounts, tell)

    def __getitem__(self, login: str) -> "Actor":
        if login not in self.people:
            self.people[login] = Actor(self, login)
        return self.people[login]

    def until(self, what: str, ask: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """The first truthy answer; TimeoutError says what never came."""
        end = time.monotonic() + patience
        while True:
            if answer := ask():
                return answer
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {patience:.0f} s")
            time.sleep(0.1)


@dataclass(slots=True)
class Actor:
    """A person or application with a token, a signing key, and calls that raise Problem unless they succeed."""

    world: World
    login: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    factor: bool = True
    _token: str = ""
    _until: float = 0.0

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def key_id(self) -> str:
        return sha256(self.public_key).hexdigest()[:16]

    @property
    def token(self) -> str:
        """A fresh enough access token: people by the demonstration's grant, applications by their secret."""
        if time.monotonic() > self._until:
            secret = self.world.data_dir / "secrets" / f"{self.login.removeprefix('service:')}.client_secret"
            if secret.is_file():
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self.login,
                    "client_secret": secret.read_text("utf-8").strip(),
                }
            else:
                form = {"grant_type": DEMO_GRANT, "client_id": "letopis-cli", "login": self.login}
                if self.factor:
                    form["acr_values"] = "mfa"
            answer = self.world.http.post(f"{self.world.urls['issuer']}/token", data=form)
            if answer.status_code != 200:
                raise Problem(answer.status_code, answer.json())
            told = answer.json()
            self._token, self._until = told["access_token"], time.monotonic() + told["expires_in"] - 60
        return self._token

    def send(self, method: str, service: str, path: str, *, purpose: str = "", **sent: Any) -> httpx.Response:
        """One request; it waits for what the journey has written so far (Min-Position). Raises Problem."""
        headers = {"authorization": f"Bearer {self.token}", **sent.pop("headers", {})}
        if purpose:
            headers["letopis-purpose"] = purpose
        if method not in {"GET", "HEAD"}:
            headers.setdefault("idempotency-key", str(uuid4()))
        if seen := self.world.positions:
            headers["min-position"] = ", ".join(f"{ledger}/{position}" for ledger, position in seen.items())
        address = self.world.urls[service] + path
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.world.http.request(method, address, headers=headers, **sent)
            except httpx.TransportError:
                # The service is being restarted; the Idempotency-Key makes the repetition harmless.
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
                continue
            if not _again(answer) or time.monotonic() > end:
                break
            time.sleep(0.2)
        if answer.is_error:
            raise Problem(answer.status_code, answer.json())
        for told in answer.headers.get("letopis-position", "").split(","):
            ledger, _, position = told.strip().partition("/")
            if position:
                self.world.positions[ledger] = max(int(position), self.world.positions.get(ledger, 0))
        return answer

    def get(self, service: str, path: str, **sent: Any) -> Any:
        return self.send("GET", service, path, **sent).json()

    def post(self, service: str, path: str, body: Any = None, **sent: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.send("POST", service, path, json={} if body is None else body, **sent).json()
        return answer

    def refused(self, method: str, service: str, path: str, **sent: Any) -> Problem:
        """The problem that this request MUST meet; AssertionError if it succeeds."""
        try:
            self.send(method, service, path, **sent)
        except Problem as problem:
            return problem
        raise AssertionError(f"{self.login} was not refused: {method} {path}")

    def sign(self, statement: dict[str, str]) -> str:
        """Ed25519 over `letopis-approval-v1` and the RFC 8785 form of a flat object of ASCII strings."""
        text = json.dumps(statement, sort_keys=True, separators=(",", ":"))
        return b64encode(self.key.sign(b"letopis-approval-v1\n" + text.encode())).decode()
