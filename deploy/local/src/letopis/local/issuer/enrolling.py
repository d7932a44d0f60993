"""Setting a password by invitation, in installations that are not a demonstration."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from letopis.local.issuer.desk import LOG, LoginDesk
from letopis.local.issuer.forms import form, parameters, same_origin
from letopis.local.issuer.pages import enrol_page, message
from letopis.local.issuer.passwords import LONGEST, SHORTEST
from letopis.local.issuer.totp import address

_OVER = "This invitation is not good any more; ask an operator for a new one."


async def show_enrolment(desk: LoginDesk, request: Request) -> Response:
    """The form of an invitation."""
    code = parameters(request.url.query).get("code", "")
    person = desk.users.invited(code, desk.clock.now())
    return enrol_page(code, person) if person else message("Letopis", _OVER, 400)


async def enrol(desk: LoginDesk, request: Request) -> Response:
    """Set the password; the invitation is used up."""
    same_origin(request, desk.url)
    posted = await form(request)
    code, password = posted.get("code", ""), posted.get("password", "")
    person = desk.users.invited(code, desk.clock.now())
    if person is None:
        return message("Letopis", _OVER, 400)
    if not SHORTEST <= len(password) <= LONGEST:
        return enrol_page(code, person, f"The password needs {SHORTEST} to {LONGEST} characters.")
    if password != posted.get("again"):
        return enrol_page(code, person, "The two passwords differ.")
    if await asyncio.to_thread(desk.users.enrol, code, password, desk.clock.now()) is None:
        return message("Letopis", _OVER, 400)
    LOG.info("password of %s was set", person.login)
    text = (
        f"{person.name}, your password is set. Log in with `letopis login`. Put this into your authenticator now; "
        "it is shown once, and you are asked for its code before you decide on something that weighs: "
    )
    return message("Welcome", text + address(desk.users.factor_of(person.login), person.login))
