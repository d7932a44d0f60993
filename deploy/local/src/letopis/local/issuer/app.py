"""The issuer as an ASGI application: every part is made here, every route stands here."""

from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from letopis.common.clock import Clock, SystemClock
from letopis.local.issuer import authorizing, devices, discovery, enrolling, tokens
from letopis.local.issuer.clients import clients_of
from letopis.local.issuer.desk import LoginDesk
from letopis.local.issuer.forms import OAuthError
from letopis.local.issuer.grants import Pending, RefreshTokens
from letopis.local.issuer.minting import Mint
from letopis.local.issuer.passwords import Throttle
from letopis.local.issuer.settings import IssuerSettings
from letopis.local.issuer.state import SigningKeys, Users
from letopis.local.issuer.totp import SecondFactors


def create_app(settings: IssuerSettings, clock: Clock | None = None) -> Starlette:
    """The application; its state must have been made by `state.ensure`."""
    url = settings.url.rstrip("/")
    keys = SigningKeys(settings.folder)
    desk = LoginDesk(
        url=url,
        demo=settings.profile == "demo",
        console_url=settings.console_url,
        clients=clients_of(settings),
        users=Users(settings.folder),
        keys=keys,
        mint=Mint(url, keys),
        pending=Pending(),
        refresh=RefreshTokens(settings.folder),
        throttle=Throttle(),
        factors=SecondFactors(),
        clock=clock or SystemClock(),
    )
    routes = [
        Route("/healthz", healthz),
        Route("/.well-known/openid-configuration", partial(discovery.configuration, desk)),
        Route("/jwks", partial(discovery.jwks, desk)),
        Route("/authorize", partial(authorizing.authorize, desk)),
        Route("/authorize", partial(authorizing.log_in, desk), methods=["POST"]),
        Route("/token", partial(tokens.token, desk), methods=["POST"]),
        Route("/device_authorization", partial(devices.authorize_device, desk), methods=["POST"]),
        Route("/device", partial(devices.show_device, desk)),
        Route("/device", partial(devices.approve_device, desk), methods=["POST"]),
        Route("/userinfo", partial(discovery.userinfo, desk), methods=["GET", "POST"]),
        Route("/end_session", partial(discovery.end_session, desk), methods=["GET", "POST"]),
    ]
    if not desk.demo:
        routes += [
            Route("/enrol", partial(enrolling.show_enrolment, desk)),
            Route("/enrol", partial(enrolling.enrol, desk), methods=["POST"]),
        ]
    # A page elsewhere must not reach a loopback issuer under a name of its own (DNS rebinding).
    hosts = sorted({urlsplit(url).hostname or "", "localhost", "127.0.0.1"})
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        exception_handlers={OAuthError: _told},
    )


async def healthz(request: Request) -> Response:
    del request
    return JSONResponse({"status": "ok"})


async def _told(request: Request, error: Exception) -> Response:
    del request
    if not isinstance(error, OAuthError):
        raise error
    return error.answer()


def loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
