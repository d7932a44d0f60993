"""Login of a device without a browser, such as the letopis command (RFC 8628)."""

from dataclasses import replace
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from letopis.local.issuer.clients import DEVICE
from letopis.local.issuer.desk import LOG, LoginDesk, LoginFailed, asks_for_factor
from letopis.local.issuer.forms import OAuthError, client_of, form, parameters, same_origin
from letopis.local.issuer.grants import (
    DEVICE_INTERVAL,
    DEVICE_LASTS,
    Device,
    Session,
    granted,
    new_secret,
    new_user_code,
)
from letopis.local.issuer.pages import code_page, login_page, message

_TYPED = "typed device codes"


async def authorize_device(desk: LoginDesk, request: Request) -> Response:
    """Give a device its codes."""
    posted = await form(request)
    client = client_of(request, posted, desk.clients)
    if DEVICE not in client.grants:
        raise OAuthError("unauthorized_client", "this client does not log in by device")
    now = desk.clock.now()
    desk.pending.sweep(now)
    device_code, user_code = new_secret(), new_user_code()
    desk.pending.devices[device_code] = Device(
        client_id=client.client_id,
        scope=posted.get("scope", "openid"),
        user_code=user_code,
        until=now + DEVICE_LASTS,
        mfa=asks_for_factor(posted),
    )
    return JSONResponse(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{desk.url}/device",
            "verification_uri_complete": f"{desk.url}/device?user_code={user_code}",
            "expires_in": int(DEVICE_LASTS.total_seconds()),
            "interval": int(DEVICE_INTERVAL.total_seconds()),
        },
        headers={"Cache-Control": "no-store"},
    )


async def show_device(desk: LoginDesk, request: Request) -> Response:
    """Ask for the code, then who logs in."""
    user_code = parameters(request.url.query).get("user_code", "")
    if not user_code:
        return code_page()
    found = _find(desk, user_code)
    return _form(desk, found[1]) if isinstance(found, tuple) else found


async def approve_device(desk: LoginDesk, request: Request) -> Response:
    """Take the login form for a device."""
    same_origin(request, desk.url)
    posted = await form(request)
    found = _find(desk, posted.get("user_code", ""))
    if not isinstance(found, tuple):
        return found
    device_code, device = found
    try:
        person = await desk.admit(posted)
        mfa_at = desk.second_factor(person, posted, asked=device.mfa)
    except LoginFailed as failure:
        return _form(desk, device, str(failure))
    desk.pending.devices[device_code] = granted(device, person.login, desk.clock.now(), mfa_at)
    LOG.info("login of %s to %s by device", person.login, device.client_id)
    return message("Logged in", f"{person.name}, your device is logged in. You may close this page.")


def poll(desk: LoginDesk, client_id: str, device_code: str) -> Session:
    """The session when somebody said yes; until then the errors of RFC 8628, section 3.5."""
    now = desk.clock.now()
    device = desk.pending.devices.get(device_code)
    if device is None or device.client_id != client_id:
        raise OAuthError("invalid_grant", "there is no such device code")
    if device.until < now:
        raise OAuthError("expired_token", "nobody logged in within ten minutes; begin again")
    if device.session is not None:
        del desk.pending.devices[device_code]
        return device.session
    if device.polled_at is not None and now - device.polled_at < device.interval - timedelta(milliseconds=100):
        slower = replace(device, polled_at=now, interval=device.interval + timedelta(seconds=5))
        desk.pending.devices[device_code] = slower
        raise OAuthError("slow_down", f"ask every {int(slower.interval.total_seconds())} s")
    desk.pending.devices[device_code] = replace(device, polled_at=now)
    raise OAuthError("authorization_pending", "nobody has logged in yet")


def _find(desk: LoginDesk, user_code: str) -> tuple[str, Device] | Response:
    now = desk.clock.now()
    desk.pending.sweep(now)
    if desk.throttle.wait(_TYPED, now):
        return code_page("Too many wrong codes; wait a little.")
    found = desk.pending.device_of(user_code)
    if found is None or found[1].session is not None:
        desk.throttle.failed(_TYPED, now)
        return code_page("No device waits with this code.")
    desk.throttle.passed(_TYPED)
    return found


def _form(desk: LoginDesk, device: Device, wrong: str = "") -> Response:
    return login_page(
        "/device",
        {"user_code": device.user_code},
        client=desk.clients[device.client_id].name,
        people=desk.users.everyone() if desk.demo else None,
        wrong=wrong,
        factor=device.mfa,
    )
