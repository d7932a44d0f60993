"""The client: one object for all services, acting as one person or application for one stated purpose."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from letopis.sdk.login import ApplicationAuth, Logins, PersonAuth, Provider, demo_login
from letopis.sdk.places import Places, config_folder, find_places
from letopis.sdk.problems import Unavailable, away, problem_of

ATTEMPTS = 4
LONGEST_WAIT = 5.0


class Service:
    """One service's HTTP API. Paths are as documented there, e.g. `/v1/versions`; answers are parsed JSON."""

    def __init__(
        self, name: str, url: str, http: httpx.Client, positions: dict[str, int], headers: dict[str, str]
    ) -> None:
        self.name, self.url = name, url
        self._http, self._positions, self._headers = http, positions, headers

    def get(self, path: str, **query: Any) -> Any:
        """Read; the answer includes everything this client wrote before. Raises a Problem."""
        return self._send("GET", path, params=query).json()

    def download(self, path: str, **query: Any) -> bytes:
        """Read bytes, such as an evidence pack."""
        return self._send("GET", path, params=query).content

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        """A command; its receipt. Sent again with the same Idempotency-Key when no answer comes, so it is done once.

        `key` is that key, where the caller wants to repeat across processes; without it each call is a new command.
        """
        return self._send("POST", path, json={} if body is None else body, key=key or str(uuid4())).json()

    def delete(self, path: str, *, key: str = "", **query: Any) -> Any:
        """A command that takes something away; its receipt."""
        return self._send("DELETE", path, params=query, key=key or str(uuid4())).json()

    def put(self, path: str, data: bytes) -> Any:
        """Store bytes under their name; repeating it changes nothing."""
        kind = {"Content-Type": "application/octet-stream"}
        return self._send("PUT", path, content=data, headers=kind).json()

    def _send(self, method: str, path: str, *, key: str = "", **options: Any) -> httpx.Response:
        headers = self._headers | options.pop("headers", {})
        if key:
            headers["Idempotency-Key"] = key
        if self._positions:
            headers["Min-Position"] = ", ".join(f"{ledger}/{at}" for ledger, at in self._positions.items())
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._http.request(method, f"{self.url}{path}", headers=headers, **options)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS or isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
                    raise away(self.url, error) from error
                continue
            if answer.status_code < 400:
                self._remember(answer)
                return answer
            problem = problem_of(answer)
            if not isinstance(problem, Unavailable) or attempt == ATTEMPTS:
                raise problem
            time.sleep(_pause(answer, attempt))
        raise AssertionError("unreachable")

    def _remember(self, answer: httpx.Response) -> None:
        ledger, _, at = answer.headers.get("Letopis-Position", "").partition("/")
        if at.isdigit():
            self._positions[ledger] = max(int(at), self._positions.get(ledger, 0))


class Letopis:
    """All services, for one person (the current login, or `login`) and one `purpose`. Use it in a `with` block.

    Every service is an attribute: `registry`, `features`, `inference`, `monitoring`, `audit`, `console`.
    """

    def __init__(
        self,
        login: str = "",
        *,
        purpose: str = "",
        places: Places | None = None,
        config: Path | None = None,
        timeout: float = 60.0,
        application_secret: Path | None = None,
        positions: dict[str, int] | None = None,
    ) -> None:
        """`application_secret` is the secret's file when `login` is an application that acts for itself.

        Clients that share `positions` see what each other wrote, as one client sees its own.
        """
        self.places = places or find_places()
        # Proxies of the environment are not for a bank's inner addresses, and loopback least of all.
        self._http = httpx.Client(timeout=timeout, trust_env=False)
        self.provider = Provider(self.places.of("issuer"), self._http)
        self.logins = Logins(config or config_folder(), self.places.of("issuer"))
        self._auth: PersonAuth | ApplicationAuth = PersonAuth(self.logins, self.provider, login)
        if application_secret is not None:
            self._auth = ApplicationAuth(self.provider, login, application_secret)
        self._calls = httpx.Client(timeout=timeout, trust_env=False, auth=self._auth)
        self._positions = {} if positions is None else positions
        self._headers = {"Letopis-Purpose": purpose} if purpose else {}
        self.registry = self._service("registry")
        self.features = self._service("features")
        self.inference = self._service("inference")
        self.monitoring = self._service("monitoring")
        self.audit = self._service("audit")
        self.console = self._service("console")

    @classmethod
    def demo(
        cls,
        name: str,
        *,
        purpose: str = "",
        places: Places | None = None,
        config: Path | None = None,
        positions: dict[str, int] | None = None,
    ) -> Self:
        """Log in by name to a demonstration, without changing who is current at the command line."""
        client = cls(name.strip().lower(), purpose=purpose, places=places, config=config, positions=positions)
        try:
            demo_login(client.provider, client.logins, name, make_current=False)
        except BaseException:
            client.close()
            raise
        return client

    @property
    def login(self) -> str:
        """Who acts; NotLoggedIn if nobody is."""
        return self._auth.login

    def token(self) -> str:
        """An access token of who acts, for other clients of the same services."""
        return self._auth.token()

    @property
    def positions(self) -> Mapping[str, int]:
        """The last position of each ledger that this client wrote; later calls wait for them."""
        return dict(self._positions)

    def close(self) -> None:
        self._http.close()
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _service(self, name: str) -> Service:
        return Service(name, self.places.of(name), self._calls, self._positions, self._headers)


def _pause(answer: httpx.Response, attempt: int) -> float:
    stated = answer.headers.get("Retry-After", "")
    return min(float(stated) if stated.isdigit() else 0.25 * 2**attempt, LONGEST_WAIT)
