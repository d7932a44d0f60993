"""What comes in: forms and queries without repeated parameters, clients that prove themselves, same-origin posts."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse

from letopis.local.issuer.clients import Client

LONGEST_FORM = 16 * 1024
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """An error of RFC 6749, section 5.2, as JSON."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.description, self.status = code, description, status

    def answer(self) -> JSONResponse:
        headers = dict(_NO_STORE)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Basic" if self.code == "invalid_client" else f'Bearer error="{self.code}"'
        return JSONResponse(
            {"error": self.code, "error_description": self.description}, status_code=self.status, headers=headers
        )


def parameters(encoded: str) -> dict[str, str]:
    """Form parameters; a repeated one is an error (RFC 6749, section 3.1)."""
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded), max_num_fields=50)
    except ValueError:
        raise OAuthError("invalid_request", "the parameters cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OAuthError("invalid_request", "a parameter stands twice")
    return found


async def form(request: Request) -> dict[str, str]:
    """The parameters of a posted form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "send application/x-www-form-urlencoded")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            raise OAuthError("invalid_request", "the form is too long", status=413)
    try:
        return parameters(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "the form is not UTF-8") from None


def same_origin(request: Request, issuer_url: str) -> None:
    """Refuse a form that another site's page sent in the name of whoever sits here."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    own = urlsplit(issuer_url)
    origin = request.headers.get("origin", f"{own.scheme}://{own.netloc}")
    if site not in {"same-origin", "none"} or origin != f"{own.scheme}://{own.netloc}":
        raise OAuthError("invalid_request", "this form was sent from another site", status=403)


def client_of(request: Request, posted: dict[str, str], clients: Mapping[str, Client]) -> Client:
    """The client that asks, proved by its secret (Basic or in the form) unless it is public."""
    header = request.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        try:
            client_id, _, secret = b64decode(header[6:], validate=True).decode().partition(":")
        except (NotBase64, UnicodeDecodeError):
            raise OAuthError("invalid_client", "the Authorization header cannot be read", status=401) from None
        client_id, secret = unquote_plus(client_id), unquote_plus(secret)
        if "client_secret" in posted or posted.get("client_id", client_id) != client_id:
            raise OAuthError("invalid_request", "the client is named in two ways")
    else:
        client_id, secret = posted.get("client_id", ""), posted.get("client_secret", "")
    client = clients.get(client_id)
    if client is None or not client.proves(secret):
        raise OAuthError("invalid_client", "there is no such client, or its secret is wrong", status=401)
    return client
