"""What anybody may ask of the issuer: its configuration, its keys, who a token is for, and the end of a session."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from letopis.local.issuer.clients import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEMO, DEVICE, EXCHANGE, REFRESH
from letopis.local.issuer.desk import MFA, LoginDesk
from letopis.local.issuer.forms import OAuthError, form, parameters
from letopis.local.issuer.minting import AUDIENCE
from letopis.local.issuer.pages import message


async def configuration(desk: LoginDesk, request: Request) -> Response:
    """OpenID Connect Discovery 1.0, RFC 8414, RFC 8628, RFC 9207."""
    del request
    document: dict[str, Any] = {
        "issuer": desk.url,
        "authorization_endpoint": f"{desk.url}/authorize",
        "token_endpoint": f"{desk.url}/token",
        "device_authorization_endpoint": f"{desk.url}/device_authorization",
        "userinfo_endpoint": f"{desk.url}/userinfo",
        "end_session_endpoint": f"{desk.url}/end_session",
        "jwks_uri": f"{desk.url}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            AUTHORIZATION_CODE,
            REFRESH,
            CLIENT_CREDENTIALS,
            DEVICE,
            EXCHANGE,
            *([DEMO] if desk.demo else []),
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["Ed25519"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [MFA],
        "scopes_supported": ["openid", "letopis"],
        "claims_supported": ["sub", "name", "groups", "person", "auth_time", "mfa_at", "acr", "service"],
        "authorization_response_iss_parameter_supported": True,
    }
    return JSONResponse(document, headers={"Cache-Control": "public, max-age=60"})


async def jwks(desk: LoginDesk, request: Request) -> Response:
    """The public keys (RFC 7517)."""
    del request
    return JSONResponse(desk.keys.published(), headers={"Cache-Control": "public, max-age=60"})


async def userinfo(desk: LoginDesk, request: Request) -> Response:
    """Who the bearer of a token is."""
    kind, _, presented = request.headers.get("authorization", "").partition(" ")
    claims = desk.mint.read(presented, "at+jwt") if kind.lower() == "bearer" else None
    if claims is None or claims["aud"] != AUDIENCE or claims["exp"] <= desk.clock.now().timestamp():
        raise OAuthError("invalid_token", "a valid access token is needed", status=401)
    about = {name: claims[name] for name in ("sub", "name", "groups", "person", "service") if name in claims}
    return JSONResponse(about, headers={"Cache-Control": "no-store"})


async def end_session(desk: LoginDesk, request: Request) -> Response:
    """Log out: revoke the refresh tokens of the session that the ID token names, and go back if we know where."""
    asked = await form(request) if request.method == "POST" else parameters(request.url.query)
    claims = desk.mint.read(asked.get("id_token_hint", ""), "JWT")
    if claims is None:
        return message("Letopis", "You are logged out here; nobody stays logged in at this issuer.")
    desk.refresh.revoke(str(claims.get("sid", "")))
    client = desk.clients.get(str(claims["aud"]))
    target = asked.get("post_logout_redirect_uri", "")
    if client is None or target not in client.logout_redirects:
        return message("Letopis", "You are logged out.")
    state = {"state": asked["state"]} if "state" in asked else {}
    return RedirectResponse(f"{target}?{urlencode(state)}" if state else target, 303)
