"""Proof key for code exchange (RFC 7636, S256), and the address a login starts at."""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One login under way; kept in a sealed cookie until the issuer sends the browser back."""

    state: str
    verifier: str
    next: str

    def kept(self) -> dict[str, str]:
        return asdict(self)


def ours(next: str) -> str:
    """The path to return to if it is one of ours, else the overview: no redirect leaves the page.

    Browsers drop tabs and line ends from addresses and read a backslash as a slash, so none may stand in it.
    """
    ok = next.startswith("/") and not next.startswith("//") and "\\" not in next and next.isprintable()
    return next if ok else "/"


def attempt(next: str) -> Attempt:
    """A new login that will return to `next`, a path of ours."""
    return Attempt(state=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48), next=ours(next))


def challenge(verifier: str) -> str:
    """BASE64URL(SHA-256(verifier)) without padding."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_address(endpoint: str, client_id: str, redirect: str, login: Attempt, *, factor: bool) -> str:
    """Where the browser goes to log in."""
    return f"{endpoint}?" + urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect,
            "scope": "openid profile offline_access",
            "state": login.state,
            "code_challenge": challenge(login.verifier),
            "code_challenge_method": "S256",
            **({"acr_values": "mfa"} if factor else {}),
        }
    )
