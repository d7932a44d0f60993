"""Access tokens (RFC 9068): joserfc checks the signature, this wrapper refuses all that only looks like a token."""

import re
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from letopis.common.clock import Clock
from letopis.common.identity import strict_json
from letopis.common.identity.claims import Claims, TokenRefused, read
from letopis.common.identity.keys import ProviderKeys

LONGEST_TOKEN = 8 * 1024
TYPES = frozenset({"at+jwt", "application/at+jwt"})
KEPT_AT_MOST = 4096

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# EdDSA with a key of this curve is Ed25519 (RFC 9864); banks' providers still write the older name.
_ALGORITHMS = {"EdDSA": "Ed25519", "Ed25519": "Ed25519", "ES256": "ES256", "RS256": "RS256"}


class _Pinned(JWSRegistry):
    """Only the algorithms we know; headers are checked by us before the signature is."""

    def __init__(self) -> None:
        super().__init__(strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        return self.algorithms[_ALGORITHMS[name]]


_REGISTRY = _Pinned()


class TokenVerifier:
    """Turns a bearer token into Claims, or refuses it."""

    def __init__(
        self, issuer_url: str, http: httpx.AsyncClient, clock: Clock, audience: str = "letopis", service: str = ""
    ) -> None:
        self.issuer_url = issuer_url
        self.audience = audience
        self.service = service
        self._keys = ProviderKeys(issuer_url, http, clock)
        self._clock = clock
        self._verified: dict[bytes, tuple[str, Claims]] = {}

    async def verify(self, token: str) -> Claims:
        """The claims; TokenRefused says why not, ProviderAway when no key seen within the hour could judge."""
        kid, claims = self._verified.get(name := sha256(token.encode(errors="replace")).digest(), ("", None))
        # A verified token is verified as long as it lives and its key is still published.
        if claims is not None and claims.expires_at > self._clock.now() and await self._keys.find(kid):
            return claims
        self._verified.pop(name, None)
        kid, document = await self._checked(token)
        claims = read(
            document, issuer=self.issuer_url, audience=self.audience, now=self._clock.now(), service=self.service
        )
        if len(self._verified) >= KEPT_AT_MOST:
            self._verified.pop(next(iter(self._verified)))
        self._verified[name] = (kid, claims)
        return claims

    async def _checked(self, token: str) -> tuple[str, dict[str, Any]]:
        header = header_of(token)
        key = await self._keys.find(header["kid"])
        if key is None:
            raise TokenRefused("the token is signed with a key that the issuer does not publish")
        if header["alg"] not in key.algorithms:
            raise TokenRefused("the token names an algorithm that its key is not for")
        try:
            signed = jws.deserialize_compact(token, key.key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            raise TokenRefused("the signature of the token is wrong") from None
        try:
            return key.kid, strict_json.parse(signed.payload or b"")
        except ValueError as error:
            raise TokenRefused(f"the content of the token cannot be accepted: {error}") from None


def header_of(token: str) -> dict[str, Any]:
    """The header of a compact JWS that may be an access token; TokenRefused says why it cannot."""
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("the token is longer than 8 KB")
    if not _COMPACT.fullmatch(token):
        raise TokenRefused("this is not a signed token")
    try:
        header = strict_json.parse(_decoded(token.partition(".")[0]))
    except ValueError as error:
        raise TokenRefused(f"the header of the token cannot be accepted: {error}") from None
    if not isinstance(header.get("typ"), str) or header["typ"].lower() not in TYPES:
        raise TokenRefused("the token is not an access token (typ at+jwt)")
    if not all(isinstance(header.get(name), str) and header[name] for name in ("alg", "kid")):
        raise TokenRefused("the token does not name its key and algorithm")
    if header.keys() & {"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip"}:
        raise TokenRefused("the token brings its own key or asks for what we do not do")
    return header


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
