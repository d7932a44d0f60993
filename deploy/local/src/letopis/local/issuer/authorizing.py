"""Authorization code with PKCE (RFC 6749, RFC 7636), and the issuer named in the answer (RFC 9207)."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from letopis.local.issuer.clients import AUTHORIZATION_CODE
from letopis.local.issuer.desk import LOG, LoginDesk, LoginFailed, asks_for_factor
from letopis.local.issuer.forms import OAuthError, form, parameters, same_origin
from letopis.local.issuer.grants import CODE_LASTS, REQUEST_LASTS, AuthorizationRequest, Code, Session, new_secret
from letopis.local.issuer.pages import login_page, message

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE_LONGEST = 2048


async def authorize(desk: LoginDesk, request: Request) -> Response:
    """Show the login form for a good request; a wrong client or address is never redirected to."""
    asked = parameters(request.url.query)
    client = desk.clients.get(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    if client is None or AUTHORIZATION_CODE not in client.grants or redirect_uri not in client.redirects:
        return message("Letopis", "This application or its return address is not registered here.", 400)
    if error := _wrong(asked):
        return _back(desk, redirect_uri, asked.get("state", ""), error=error[0], error_description=error[1])
    now = desk.clock.now()
    desk.pending.sweep(now)
    transaction = new_secret()
    desk.pending.requests[transaction] = AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=asked.get("scope", "openid"),
        state=asked.get("state", ""),
        nonce=asked.get("nonce", ""),
        challenge=asked["code_challenge"],
        mfa=asks_for_factor(asked),
        until=now + REQUEST_LASTS,
    )
    return _form(desk, transaction, desk.pending.requests[transaction])


async def log_in(desk: LoginDesk, request: Request) -> Response:
    """Take the login form; send the code back."""
    same_origin(request, desk.url)
    posted = await form(request)
    desk.pending.sweep(desk.clock.now())
    transaction = posted.get("transaction", "")
    asked = desk.pending.requests.get(transaction)
    if asked is None:
        return message("Letopis", "This login took too long; go back to the application and begin again.", 400)
    try:
        person = await desk.admit(posted)
        mfa_at = desk.second_factor(person, posted, asked=asked.mfa)
    except LoginFailed as failure:
        return _form(desk, transaction, asked, str(failure))
    desk.pending.requests.pop(transaction, None)
    now, code = desk.clock.now(), new_secret()
    session = Session(
        login=person.login,
        client_id=asked.client_id,
        scope=asked.scope,
        auth_time=now,
        family=new_secret(),
        nonce=asked.nonce,
        mfa_at=mfa_at,
    )
    desk.pending.codes[code] = Code(
        session=session, redirect_uri=asked.redirect_uri, challenge=asked.challenge, until=now + CODE_LASTS
    )
    LOG.info("login of %s to %s", person.login, asked.client_id)
    return _back(desk, asked.redirect_uri, asked.state, code=code)


def _wrong(asked: dict[str, str]) -> tuple[str, str] | None:
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "only code is given"
    if asked.get("response_mode", "query") != "query" or "request" in asked or "request_uri" in asked:
        return "invalid_request", "only plain requests with answers in the query are known"
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "invalid_request", "PKCE with S256 is required"
    if "openid" not in asked.get("scope", "openid").split():
        return "invalid_scope", "openid is required"
    if max(len(asked.get("state", "")), len(asked.get("nonce", ""))) > _STATE_LONGEST:
        return "invalid_request", "state or nonce is too long"
    if "none" in asked.get("prompt", "").split():
        return "login_required", "nobody stays logged in here"
    return None


def _form(desk: LoginDesk, transaction: str, asked: AuthorizationRequest, wrong: str = "") -> Response:
    return login_page(
        "/authorize",
        {"transaction": transaction},
        client=desk.clients[asked.client_id].name,
        people=desk.users.everyone() if desk.demo else None,
        wrong=wrong,
        target=asked.redirect_uri,
        factor=asked.mfa,
    )


def _back(desk: LoginDesk, redirect_uri: str, state: str, **answer: str) -> Response:
    query = answer | ({"state": state} if state else {}) | {"iss": desk.url}
    return RedirectResponse(f"{redirect_uri}?{urlencode(query)}", 303, headers={"Cache-Control": "no-store"})


def redeem(desk: LoginDesk, client_id: str, posted: dict[str, Any], challenge: str) -> Session:
    """The session of a code; used a second time, everything that came of it is revoked."""
    code = desk.pending.codes.get(posted.get("code", ""))
    if code is None or code.until < desk.clock.now():
        raise OAuthError("invalid_grant", "the code is not good any more")
    if code.used:
        desk.refresh.revoke(code.session.family)
        raise OAuthError("invalid_grant", "the code was used before; its tokens are revoked")
    desk.pending.codes[posted["code"]] = replace(code, used=True)
    if code.session.client_id != client_id or code.redirect_uri != posted.get("redirect_uri"):
        raise OAuthError("invalid_grant", "the code was given to another client or address")
    if code.challenge != challenge:
        raise OAuthError("invalid_grant", "the code verifier does not fit the challenge")
    return code.session
