"""Keys of the identity provider: found by discovery, each bound to one family of algorithms, an hour old at most."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from letopis.common.clock import Clock
from letopis.common.errors import Unavailable
from letopis.common.identity import strict_json

REFRESH_AFTER = timedelta(minutes=5)
RETRY_AFTER = timedelta(seconds=5)
STALE_AFTER = timedelta(hours=1)
LARGEST_ANSWER = 256 * 1024


class ProviderAway(Unavailable):
    """The identity provider gives no keys that we may trust."""

    code = "identity.provider_away"
    title = "The identity provider is away; try again shortly"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A public key and the only algorithms it may be used with."""

    kid: str
    key: Key
    algorithms: frozenset[str]


def verification_key(jwk: dict[str, Any]) -> VerificationKey | None:
    """The key of a JWK (RFC 7517), or None where it is not for our signatures: its kind decides the algorithm."""
    kid, stated = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str) or not kid or jwk.get("use", "sig") != "sig":
        return None
    try:
        match jwk.get("kty"), jwk.get("crv"):
            case "OKP", "Ed25519":
                key: Key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
                algorithms = frozenset({"Ed25519", "EdDSA"})
            case "EC", "P-256":
                key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
                algorithms = frozenset({"ES256"})
            case "RSA", _:
                rsa = RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})
                if rsa.public_key.key_size < 2048:
                    return None
                key, algorithms = rsa, frozenset({"RS256"})
            case _:
                return None
    except (KeyError, TypeError, ValueError, JoseError):
        return None
    if stated is not None:
        algorithms &= {stated}
    return VerificationKey(kid=kid, key=key, algorithms=algorithms) if algorithms else None


def key_set(document: dict[str, Any]) -> dict[str, VerificationKey]:
    """Keys by kid; ValueError if the document is no key set or a kid stands for two keys."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no list of keys")  # noqa: TRY004 one kind of complaint
    keys = [key for one in listed if isinstance(one, dict) and (key := verification_key(one))]
    found = {key.kid: key for key in keys}
    if len(found) != len(keys):
        raise ValueError("a kid stands for two keys")
    return found


class ProviderKeys:
    """The provider's keys, fetched when asked for and kept at most an hour without being seen again."""

    def __init__(self, issuer_url: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self.issuer_url = issuer_url
        self._http = http
        self._clock = clock
        self._keys: dict[str, VerificationKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of this id; an unknown id makes us ask the provider once more. ProviderAway when keys are stale."""
        if self._older_than(self._fetched_at, REFRESH_AFTER) or kid not in self._keys:
            await self._refetch(kid)
        if self._older_than(self._fetched_at, STALE_AFTER):
            raise ProviderAway(f"no keys of {self.issuer_url} were seen within the last hour")
        return self._keys.get(kid)

    async def _refetch(self, kid: str) -> None:
        async with self._fetching:
            due = self._older_than(self._fetched_at, REFRESH_AFTER) or kid not in self._keys
            # Tokens with invented key ids, or a provider that is away, must not make a fetch each.
            if not due or not self._older_than(self._tried_at, RETRY_AFTER):
                return
            self._tried_at = self._clock.now()
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError):
                return
            self._fetched_at = self._tried_at

    async def _fetch(self) -> dict[str, VerificationKey]:
        configuration = await self._get(f"{self.issuer_url.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != self.issuer_url:
            raise ValueError("discovery names another issuer")
        return key_set(await self._get(str(configuration.get("jwks_uri"))))

    async def _get(self, url: str) -> dict[str, Any]:
        if not private_enough(url):
            raise ValueError(f"{url} is neither https nor on loopback")
        answer = await self._http.get(url, follow_redirects=False, timeout=5)
        if answer.status_code != 200 or len(answer.content) > LARGEST_ANSWER:
            raise ValueError(f"{url} answered {answer.status_code}, {len(answer.content)} bytes")
        return strict_json.parse(answer.content)

    def _older_than(self, moment: datetime | None, age: timedelta) -> bool:
        return moment is None or self._clock.now() - moment >= age


def private_enough(url: str) -> bool:
    """Whether nobody between can change what comes from this URL: https, or http on loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http":
        return False
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
