"""The token endpoint: one function a grant."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from letopis.local.issuer.authorizing import redeem
from letopis.local.issuer.clients import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEMO,
    DEVICE,
    EXCHANGE,
    REFRESH,
    Client,
)
from letopis.local.issuer.desk import LOG, LoginDesk, asks_for_factor
from letopis.local.issuer.devices import poll
from letopis.local.issuer.exchanging import exchange
from letopis.local.issuer.forms import OAuthError, client_of, form
from letopis.local.issuer.grants import Session, new_secret
from letopis.local.issuer.minting import LIFETIME
from letopis.local.issuer.people import Person

_GRANTS = frozenset({AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEMO, DEVICE, EXCHANGE, REFRESH})
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


async def token(desk: LoginDesk, request: Request) -> Response:
    """Turn a grant into tokens."""
    posted = await form(request)
    client = client_of(request, posted, desk.clients)
    grant = posted.get("grant_type", "")
    if grant not in _GRANTS or (grant == DEMO and not desk.demo):
        raise OAuthError("unsupported_grant_type", "this issuer does not know this grant")
    if grant not in client.grants:
        raise OAuthError("unauthorized_client", "this client may not use this grant")
    match grant:
        case "authorization_code":
            answer = _first(desk, redeem(desk, client.client_id, posted, _challenge(posted)))
        case "client_credentials":
            answer = _tokens(desk.mint.of_client(client, desk.clock.now()), "letopis")
        case "refresh_token":
            answer = _next(desk, client, posted)
        case _ if grant == EXCHANGE:
            answer = exchange(desk, client, posted)
        case _ if grant == DEVICE:
            answer = _first(desk, poll(desk, client.client_id, posted.get("device_code", "")))
        case _:
            answer = _first(desk, _chosen(desk, client, posted))
    return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _challenge(posted: dict[str, str]) -> str:
    """The S256 challenge that belongs to the verifier shown (RFC 7636, section 4.6)."""
    verifier = posted.get("code_verifier", "")
    if not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_request", "code_verifier is missing or not 43 to 128 unreserved characters")
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _chosen(desk: LoginDesk, client: Client, posted: dict[str, str]) -> Session:
    """The demonstration's grant: somebody from the list, by name."""
    person = desk.users.find(posted.get("login", "").lower())
    if person is None:
        known = ", ".join(one.login for one in desk.users.everyone())
        raise OAuthError("invalid_grant", f"there is nobody of this name; known are {known}")
    LOG.info("login of %s to %s by name", person.login, client.client_id)
    return Session(
        login=person.login,
        client_id=client.client_id,
        scope=posted.get("scope", "openid"),
        auth_time=desk.clock.now(),
        family=new_secret(),
        mfa_at=desk.second_factor(person, posted, asked=asks_for_factor(posted)),
    )


def _first(desk: LoginDesk, session: Session) -> dict[str, Any]:
    person = _still_here(desk, session)
    refresh = desk.refresh.issue(session, desk.clock.now())
    return _of_person(desk, person, session, refresh)


def _next(desk: LoginDesk, client: Client, posted: dict[str, str]) -> dict[str, Any]:
    used = desk.refresh.use(posted.get("refresh_token", ""), client.client_id, desk.clock.now())
    if used is None:
        raise OAuthError("invalid_grant", "the refresh token is not good any more; log in again")
    session, refresh = used
    return _of_person(desk, _still_here(desk, session), session, refresh)


def _still_here(desk: LoginDesk, session: Session) -> Person:
    person = desk.users.find(session.login)
    if person is None:
        raise OAuthError("invalid_grant", "this login does not exist any more")
    return person


def _of_person(desk: LoginDesk, person: Person, session: Session, refresh: str) -> dict[str, Any]:
    now = desk.clock.now()
    answer = _tokens(desk.mint.of_person(person, session, now), session.scope) | {"refresh_token": refresh}
    if "openid" in session.scope.split():
        answer["id_token"] = desk.mint.identity(person, session, now)
    return answer


def _tokens(access_token: str, scope: str) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": scope,
    }
