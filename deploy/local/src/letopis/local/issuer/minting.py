"""Tokens: access tokens (RFC 9068) for the services, ID tokens for clients, all signed with Ed25519."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError

from letopis.local.issuer.clients import Client
from letopis.local.issuer.grants import Session
from letopis.local.issuer.people import Person
from letopis.local.issuer.state import SigningKeys

AUDIENCE = "letopis"
LIFETIME = timedelta(minutes=15)
_ALGORITHM = "Ed25519"


class Mint:
    """Makes tokens of one issuer."""

    def __init__(self, issuer_url: str, keys: SigningKeys) -> None:
        self.issuer_url = issuer_url
        self._keys = keys

    def of_person(self, person: Person, session: Session, now: datetime) -> str:
        """An access token in a person's name; it says when a second factor was shown, if one was."""
        claims = self._claims(person.login, AUDIENCE, now) | _about(person)
        claims |= {"client_id": session.client_id, "scope": session.scope, "sid": session.family}
        claims |= {"auth_time": _seconds(session.auth_time)}
        if session.mfa_at is not None:
            claims |= {"mfa_at": _seconds(session.mfa_at), "acr": "mfa"}
        return self._sign(claims, "at+jwt")

    def of_client(self, client: Client, now: datetime) -> str:
        """A client's own access token; a service of this installation is named in the claim `service`."""
        claims = self._claims(client.client_id, AUDIENCE, now)
        claims |= {"client_id": client.client_id, "name": client.name, "scope": AUDIENCE}
        if client.service:
            claims["service"] = client.service
        return self._sign(claims, "at+jwt")

    def delegated(
        self, person: Person, client: Client, audience: str, purpose: str, now: datetime, until: datetime
    ) -> str:
        """An access token with which a client acts in a person's name towards one service (RFC 8693, section 4.1)."""
        claims = self._claims(person.login, audience, now) | _about(person)
        claims |= {"exp": _seconds(until), "client_id": client.client_id, "scope": AUDIENCE}
        return self._sign(claims | {"act": {"sub": client.client_id}, "purpose": purpose}, "at+jwt")

    def identity(self, person: Person, session: Session, now: datetime) -> str:
        """An ID token for the client that the person logged in to."""
        claims = self._claims(person.login, session.client_id, now) | _about(person)
        claims |= {"auth_time": _seconds(session.auth_time), "sid": session.family}
        if session.nonce:
            claims["nonce"] = session.nonce
        return self._sign(claims, "JWT")

    def read(self, token: str, type: str) -> dict[str, Any] | None:
        """The claims of a token that we signed, expired or not; None if we did not."""
        try:
            header = jwt.decode(token, lambda signed: self._key_of(signed.headers()), algorithms=[_ALGORITHM])
        except (JoseError, ValueError):
            return None
        return dict(header.claims) if header.header.get("typ") == type else None

    def _key_of(self, header: dict[str, Any]) -> Any:
        key = self._keys.find(str(header.get("kid")))
        if key is None:
            raise ValueError("not a key of ours")
        return key

    def _claims(self, subject: str, audience: str, now: datetime) -> dict[str, Any]:
        return {
            "iss": self.issuer_url,
            "sub": subject,
            "aud": audience,
            "iat": _seconds(now),
            "exp": _seconds(now + LIFETIME),
            "jti": str(uuid4()),
        }

    def _sign(self, claims: dict[str, Any], type: str) -> str:
        kid, key = self._keys.current()
        return jwt.encode({"alg": _ALGORITHM, "kid": kid, "typ": type}, claims, key, algorithms=[_ALGORITHM])


def _about(person: Person) -> dict[str, Any]:
    stated = {"name": person.name, "groups": sorted(person.groups)}
    return stated | ({"person": person.person} if person.person else {})


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
