"""Login and logout, and the purpose that a person states for what they look at."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.errors import Invalid, Unauthenticated
from letopis.common.http import Call, Object, governed, problems, public
from letopis.console.page.rendering import Pages, Who, show
from letopis.console.session.cookie import ATTEMPT, LIFE, PURPOSE, SEEN, SESSION, WORD
from letopis.console.session.issuer import IssuerAway, LoginNotAccepted
from letopis.console.session.pkce import Attempt, attempt, authorize_address, ours

router = APIRouter(tags=["session"])

PATIENCE = timedelta(minutes=10)
PURPOSES = {
    "client_complaint": "Answering a client's question or complaint",
    "model_validation": "Validating a model",
    "model_monitoring": "Looking after a model in service",
    "audit": "Internal audit",
    "supervision": "Supervision of the bank",
    "incident": "Finding out what went wrong",
}


class LoginLost(Unauthenticated):
    """The answer belongs to no login that this browser began."""

    code = "session.login_lost"
    title = "This login was not begun here or took too long; log in again"


class PurposeInvalid(Invalid):
    """A purpose is one short word."""

    code = "session.purpose_invalid"
    title = "A purpose is one word of small Latin letters, digits and underscores"


@router.get("/login", responses=problems(IssuerAway))
@public
async def login(request: Request, next: str = "/", factor: bool = False) -> Response:
    """Sends the browser to the identity provider; with `factor` it is asked for a second factor too."""
    own, new = request.app.state.resources, attempt(next)
    where = authorize_address(
        await own.issuer.endpoint("authorization_endpoint"),
        own.issuer.client_id,
        own.issuer.redirect,
        new,
        factor=factor,
    )
    sealed = own.seal.close(ATTEMPT, new.kept(), own.clock.now() + PATIENCE)
    return _sent(where, own.setter.header(ATTEMPT, sealed, PATIENCE))


@router.get("/auth/callback", responses=problems(LoginLost, LoginNotAccepted, IssuerAway))
@public
async def callback(request: Request, code: str = "", state: str = "", error: str = "", iss: str = "") -> Response:
    """Takes the code the provider sent the browser back with; `iss` says whose it is (RFC 9207)."""
    own = request.app.state.resources
    now = own.clock.now()
    kept = own.seal.open(ATTEMPT, request.cookies.get(ATTEMPT), now)
    if kept is None or error or not code or state != kept["state"] or iss not in {"", own.issuer.url}:
        raise LoginLost
    begun = Attempt(**kept)
    tokens = await own.issuer.exchange(code, begun.verifier, now)
    sealed = own.seal.close(SESSION, tokens.kept(), now + LIFE)
    return _sent(begun.next, own.setter.header(SESSION, sealed, LIFE), own.setter.forget(ATTEMPT))


@router.post("/auth/logout")
@public
async def logout(request: Request) -> Response:
    """Forgets the session; whoever comes next states a purpose of their own."""
    forget = request.app.state.resources.setter.forget
    return _sent("/auth/out", *(forget(name) for name in (SESSION, PURPOSE, SEEN)))


@router.get("/auth/out")
@public
async def out(request: Request) -> Response:
    """Says that nobody is logged in any more."""
    pages: Pages = request.app.state.resources.pages
    return pages.show("out.html", Who())


@router.get("/purpose")
async def choose(call: Annotated[Call, governed("console.page.read")], next: str = "/") -> Response:
    """Asks why somebody looks; the answer goes on record with what they are shown."""
    await call.authorize(Object(type="page", id="purpose"))
    return show(call, "purpose.html", purposes=PURPOSES, next=ours(next))


@router.post("/purpose", responses=problems(PurposeInvalid))
async def state_purpose(request: Request, call: Annotated[Call, governed("console.page.act", read=True)]) -> Response:
    """Keeps the purpose until logout."""
    await call.authorize(Object(type="page", id="purpose"))
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    word = form.get("purpose", [""])[0].strip()
    if not WORD.fullmatch(word):
        raise PurposeInvalid
    return _sent(ours(form.get("next", ["/"])[0]), call.resources.setter.header(PURPOSE, word, LIFE))


def _sent(where: str, *cookies: bytes) -> Response:
    answer = RedirectResponse(where, status_code=303, headers={"cache-control": "no-store"})
    answer.raw_headers.extend((b"set-cookie", cookie) for cookie in cookies)
    return answer
