"""The few pages of the issuer: plain forms, no script, nothing from elsewhere."""

from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from letopis.local.issuer.people import Person

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:8vh auto;padding:0 1rem;color:#1d2330;background:#f7f7f4}
h1{font-size:1.35rem}form{display:grid;gap:.6rem}input,button{font:inherit;padding:.5rem .7rem;border:1px solid #9aa2b1;
border-radius:4px;background:#fff;color:inherit}button{cursor:pointer;text-align:left}button:hover,button:focus-visible{background:#e8ecf4}
small{color:#5a6373}.demo{background:#fff3cd;border:1px solid #d9b64b;padding:.6rem .8rem;border-radius:4px}
.wrong{color:#a02020}code{font-size:1.2rem;letter-spacing:.1em}
"""

_FACTOR = (
    "<label>Code of your authenticator<br>"
    "<input name=factor inputmode=numeric pattern='[0-9 ]{6,7}' autocomplete=one-time-code required></label>"
)
_CREDENTIALS = (
    "<label>Login<br><input name=login autocomplete=username required autofocus></label>"
    "<label>Password<br><input name=password type=password autocomplete=current-password required></label>"
    "{factor}<button>Log in</button>"
)
_DEMO = (
    "<p class=demo><strong>Demonstration.</strong> Anybody may be anybody here: choose who you are. "
    "No password is asked.</p>"
)


def page(title: str, body: str, status: int = 200, form_target: str = "") -> HTMLResponse:
    """A page; `form_target` is the origin that a form's answer may redirect to."""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {form_target}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{body}",
        status_code=status,
        headers={
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def message(title: str, text: str, status: int = 200) -> HTMLResponse:
    return page(title, f"<p>{escape(text)}</p>", status)


def login_page(
    action: str,
    hidden: dict[str, str],
    *,
    client: str,
    people: list[Person] | None,
    wrong: str = "",
    target: str = "",
    factor: bool = False,
) -> HTMLResponse:
    """Log in: `people` to choose from in the demonstration, None where a password is asked for.

    `factor`: the client asks for a second factor too.
    """
    fields = "".join(f"<input type=hidden name={name} value='{escape(value)}'>" for name, value in hidden.items())
    body = (
        f"{_DEMO if people is not None else ''}{_wrong(wrong)}{_device(hidden.get('user_code', ''))}"
        f"<p>Log in to {escape(client)}.</p><form method=post action='{escape(action)}'>{fields}"
        f"{_credentials(factor=factor) if people is None else ''.join(_choice(one) for one in people)}</form>"
    )
    parts = urlsplit(target)
    return page("Letopis", body, 401 if wrong else 200, f"{parts.scheme}://{parts.netloc}" if target else "")


def code_page(wrong: str = "") -> HTMLResponse:
    """Ask for the code that a device shows."""
    return page(
        "Letopis",
        f"{_wrong(wrong)}<form method=get action=/device><label>Code shown by your device<br>"
        "<input name=user_code autocomplete=off required autofocus></label><button>Go on</button></form>",
        400 if wrong else 200,
    )


def enrol_page(code: str, person: Person, wrong: str = "") -> HTMLResponse:
    """Set a password."""
    return page(
        f"Welcome, {person.name}",
        f"{_wrong(wrong)}<p>Your login is <strong>{escape(person.login)}</strong>. "
        "Choose a password of at least 12 characters.</p>"
        f"<form method=post action=/enrol><input type=hidden name=code value='{escape(code)}'>"
        f"<input type=hidden name=login value='{escape(person.login)}' autocomplete=username>"
        "<label>Password<br><input name=password type=password autocomplete=new-password required minlength=12></label>"
        "<label>Once more<br><input name=again type=password autocomplete=new-password required></label>"
        "<button>Set the password</button></form>",
        400 if wrong else 200,
    )


def _credentials(*, factor: bool) -> str:
    return _CREDENTIALS.replace("{factor}", _FACTOR if factor else "")


def _wrong(text: str) -> str:
    return f"<p class=wrong role=alert>{escape(text)}</p>" if text else ""


def _device(user_code: str) -> str:
    return f"<p>Code <code>{escape(user_code)}</code>: go on only if your device shows it.</p>" if user_code else ""


def _choice(person: Person) -> str:
    roles = ", ".join(role.replace("_", " ") for role in person.roles)
    name = f"{escape(person.name)} <small>{escape(roles)}</small>"
    return f"<button name=login value='{escape(person.login)}'>{name}</button>"
