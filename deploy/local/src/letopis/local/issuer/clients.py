"""Applications that may ask for tokens, and how each may ask."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from letopis.common.private_files import read_private
from letopis.local.issuer.settings import IssuerSettings
from letopis.local.issuer.state import CONSUMER, secret_file
from letopis.local.nats import subscribers
from letopis.local.topology import SERVICES

AUTHORIZATION_CODE = "authorization_code"
REFRESH = "refresh_token"
CLIENT_CREDENTIALS = "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
DEMO = "urn:letopis:params:oauth:grant-type:demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client; without a secret file it is public. `service` goes into its own tokens as a claim."""

    client_id: str
    name: str
    grants: frozenset[str]
    redirects: frozenset[str] = frozenset()
    logout_redirects: frozenset[str] = frozenset()
    secret_file: Path | None = None
    service: str = ""

    def proves(self, secret: str) -> bool:
        """Whether the secret is right; a public client has none to show."""
        if self.secret_file is None:
            return not secret
        return hmac.compare_digest(read_private(self.secret_file).strip().encode(), secret.encode())


@dataclass(frozen=True, slots=True)
class Clients(Mapping[str, Client]):
    """All clients by id; an outside system is one as soon as it is a subscriber."""

    fixed: Mapping[str, Client]
    data: Path

    def __getitem__(self, client_id: str) -> Client:
        return self.fixed[client_id] if client_id in self.fixed else self._outside()[client_id]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.fixed, **self._outside()})

    def __len__(self) -> int:
        return len(self.fixed) + len(self._outside())

    def _outside(self) -> dict[str, Client]:
        return {one.name: _application(one.name, one.name, self.data) for one in subscribers.known(self.data)}


def clients_of(settings: IssuerSettings) -> Clients:
    """All clients by id. The demonstration's grant exists in its profile only."""
    demo = {DEMO} if settings.profile == "demo" else set()
    console = settings.console_url.rstrip("/")
    own = [
        Client(
            client_id=f"service:{service.name}",
            name=service.name,
            grants=frozenset({CLIENT_CREDENTIALS, EXCHANGE}),
            secret_file=secret_file(settings.data_dir, service.name),
            service=service.name,
        )
        for service in SERVICES
    ]
    others = [
        Client(client_id="letopis-cli", name="the letopis command", grants=frozenset({DEVICE, REFRESH, *demo})),
        Client(
            client_id="letopis-console",
            name="the Letopis console",
            grants=frozenset({AUTHORIZATION_CODE, REFRESH}),
            redirects=frozenset({f"{console}/auth/callback"}),
            logout_redirects=frozenset({console, f"{console}/"}),
        ),
        _application(CONSUMER, "the bank's application", settings.data_dir),
    ]
    return Clients({client.client_id: client for client in (*own, *others)}, settings.data_dir)


def _application(client_id: str, name: str, data: Path) -> Client:
    """A program of the bank; it shows its secret and acts for nobody."""
    grants = frozenset({CLIENT_CREDENTIALS})
    return Client(client_id=client_id, name=name, grants=grants, secret_file=secret_file(data, client_id))
