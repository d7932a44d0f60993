"""Logging in: by device, by name in the demonstration, or as an application; tokens are kept and renewed."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from letopis.common.private_files import PrivateDocument, make_private_folder, read_private
from letopis.sdk.problems import Problem, Unauthenticated, away, problem_of

CLIENT = "letopis-cli"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
DEMO = "urn:letopis:params:oauth:grant-type:demo"
FACTOR = {"acr_values": "mfa"}
RENEW_BEFORE = 30.0


class NotLoggedIn(Unauthenticated):
    """There is no token to send."""

    def __init__(self, who: str = "") -> None:
        super().__init__(
            {
                "status": 401,
                "code": "login.missing",
                "title": f"{who} is not logged in here" if who else "nobody is logged in here",
                "remedy": f"`letopis login`; in a demonstration `letopis login --as {who or 'anna'}`",
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person does to let this device in: open `url`, where `user_code` is shown."""

    url: str
    user_code: str
    device_code: str
    interval: float
    expires_in: float


class Provider:
    """The identity provider's token endpoint, found by discovery."""

    def __init__(self, issuer: str, http: httpx.Client) -> None:
        self.issuer = issuer
        self._http = http
        self._found: dict[str, Any] = {}

    def configuration(self) -> dict[str, Any]:
        """Discovery's document; the issuer it names must be the one we asked."""
        if not self._found:
            url = f"{self.issuer}/.well-known/openid-configuration"
            document = self._answer(lambda: self._http.get(url))
            if document.get("issuer") != self.issuer:
                raise Problem({"title": f"{url} speaks for another issuer: {document.get('issuer')}"})
            self._found = document
        return self._found

    def tokens(self, form: dict[str, str], auth: httpx.Auth | None = None) -> dict[str, Any]:
        """The answer of the token endpoint, or its error as a Problem."""
        url = self.configuration()["token_endpoint"]
        if auth is None:
            return self._answer(lambda: self._http.post(url, data=form))
        return self._answer(lambda: self._http.post(url, data=form, auth=auth))

    def begin_device(self, *, factor: bool = False) -> DeviceCode:
        """Ask for a code that a person confirms in a browser (RFC 8628), with a second factor if asked for."""
        url = self.configuration()["device_authorization_endpoint"]
        form = {"client_id": CLIENT, "scope": "openid"} | (FACTOR if factor else {})
        told = self._answer(lambda: self._http.post(url, data=form))
        return DeviceCode(
            url=told.get("verification_uri_complete") or told["verification_uri"],
            user_code=told["user_code"],
            device_code=told["device_code"],
            interval=float(told.get("interval", 5)),
            expires_in=float(told["expires_in"]),
        )

    def wait_device(self, device: DeviceCode, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
        """Tokens, once a person has confirmed; Problem when they did not in time."""
        interval, form = device.interval, {"grant_type": DEVICE, "client_id": CLIENT, "device_code": device.device_code}
        while True:
            sleep(interval)
            try:
                return self.tokens(form)
            except Problem as problem:
                if problem.code == "slow_down":
                    interval += 5
                elif problem.code != "authorization_pending":
                    raise

    def userinfo(self, token: str) -> dict[str, Any]:
        """What the provider says of the bearer of a token."""
        url = self.configuration()["userinfo_endpoint"]
        return self._answer(lambda: self._http.get(url, headers={"Authorization": f"Bearer {token}"}))

    def _answer(self, ask: Callable[[], httpx.Response]) -> dict[str, Any]:
        try:
            answer = ask()
        except httpx.TransportError as error:
            raise away(self.issuer, error) from error
        if answer.status_code != httpx.codes.OK:
            raise problem_of(answer)
        told: dict[str, Any] = answer.json()
        return told


class Logins:
    """Tokens of everybody who logged in from this account to one provider, mode 0600; one of them is current."""

    def __init__(self, config: Path, issuer: str) -> None:
        self.folder = config / f"{(urlsplit(issuer).hostname or 'issuer')}-{sha256(issuer.encode()).hexdigest()[:8]}"
        make_private_folder(self.folder)
        self._document = PrivateDocument(self.folder / "logins.json")

    def current(self) -> str:
        """The login that is used when none is named; empty if nobody is logged in."""
        return str(self._document.read().get("current", ""))

    def keep(self, login: str, answer: dict[str, Any], *, make_current: bool = True) -> None:
        """Remember the tokens of an answer of the token endpoint."""
        with self._document.change() as document:
            document.setdefault("logins", {})[login] = _kept(answer)
            if make_current:
                document["current"] = login

    def forget(self, login: str) -> None:
        with self._document.change() as document:
            document.get("logins", {}).pop(login, None)
            if document.get("current") == login:
                document["current"] = next(iter(document.get("logins", {})), "")

    def token(self, login: str, renew: Callable[[str], dict[str, Any]]) -> str:
        """A token that lasts a while yet; `renew` turns a refresh token into an answer, one process at a time."""
        kept = self._document.read().get("logins", {}).get(login)
        if kept is None:
            raise NotLoggedIn(login)
        if kept["until"] - RENEW_BEFORE > time.time():
            return str(kept["access_token"])
        with self._document.change() as document:
            kept = document["logins"][login]
            if kept["until"] - RENEW_BEFORE <= time.time():
                try:
                    document["logins"][login] = kept = _kept(renew(kept["refresh_token"]))
                except Problem as problem:
                    if problem.code == "invalid_grant":
                        raise NotLoggedIn(login) from problem
                    raise
        return str(kept["access_token"])


class PersonAuth(httpx.Auth):
    """Sends the token of somebody who is logged in; of the current login if none is named."""

    def __init__(self, logins: Logins, provider: Provider, login: str = "") -> None:
        self._logins, self._provider, self._login = logins, provider, login

    @property
    def login(self) -> str:
        """Who acts; NotLoggedIn if nobody can."""
        found = self._login or self._logins.current()
        if not found:
            raise NotLoggedIn
        return found

    def token(self) -> str:
        """A token that lasts a while yet; NotLoggedIn if there is none and none can be had."""
        return self._logins.token(self.login, self._renew)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request

    def _renew(self, refresh_token: str) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": refresh_token}
        return self._provider.tokens(form)


class ApplicationAuth(httpx.Auth):
    """Sends the token of an application that acts for itself (client credentials), such as one that scores."""

    def __init__(self, provider: Provider, client_id: str, secret_file: Path) -> None:
        self.login = client_id
        self._provider, self._secret_file = provider, secret_file
        self._kept: dict[str, Any] = {"until": 0.0}

    def token(self) -> str:
        """A token that lasts a while yet."""
        if self._kept["until"] - RENEW_BEFORE <= time.time():
            proof = httpx.BasicAuth(quote(self.login, safe=""), read_private(self._secret_file).strip())
            self._kept = _kept(self._provider.tokens({"grant_type": "client_credentials"}, proof))
        return str(self._kept["access_token"])

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request


def demo_login(provider: Provider, logins: Logins, name: str, *, make_current: bool = True) -> str:
    """Log in by name, which only a demonstration's provider allows, where to ask for a second factor is to show it."""
    login = name.strip().lower()
    form = {"grant_type": DEMO, "client_id": CLIENT, "login": login, "scope": "openid", **FACTOR}
    answer = provider.tokens(form)
    logins.keep(login, answer, make_current=make_current)
    return login


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "access_token": answer["access_token"],
        "refresh_token": answer.get("refresh_token", ""),
        "until": time.time() + float(answer.get("expires_in", 60)),
    }
