"""A provider of somebody else's making: Authlib's authorization server and RFC 9068 tokens, over HTTP on loopback.

Only keys, users and clients are ours; parsing, grants, PKCE and tokens are Authlib's, and it signs with RSA.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, Response, jsonify, request
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CALLBACK = "http://127.0.0.1/callback"


@dataclass
class User:
    login: str

    def get_user_id(self) -> str:
        return self.login


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A confidential client with a secret, or the public one of a page."""

    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id, self.secret = client_id, secret

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return CALLBACK

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == CALLBACK

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(self.secret) and client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and not self.secret

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == ("client_credentials" if self.secret else "authorization_code")


@dataclass
class Code:
    user: User
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    nonce: str = ""

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Foreign:
    """The provider as tests see it: `rotate` signs with a new key and publishes the last two."""

    url: str
    keys: list[RSAKey] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    asked: int = 0

    def rotate(self) -> None:
        key = RSAKey.generate_key(2048)
        key.ensure_kid()
        self.keys = [key, *self.keys][:2]

    def published(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False, kid=key.kid, use="sig", alg="RS256") for key in self.keys]}


def application(foreign: Foreign) -> Flask:
    """Authlib's server with our keys."""
    app = Flask("foreign")
    clients = {one.client_id: one for one in (Client("page", ""), Client("bank-app", "its secret"))}

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload.data
            foreign.codes[code] = Code(
                user=request.user,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.payload.scope,
                code_challenge=asked.get("code_challenge", ""),
                code_challenge_method=asked.get("code_challenge_method", ""),
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return foreign.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            foreign.codes = {code: one for code, one in foreign.codes.items() if one is not authorization_code}

        def authenticate_user(self, authorization_code: Code) -> User:
            return authorization_code.user

    class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> KeySet:
            return KeySet([foreign.keys[0]])

        def get_audiences(self, client: Client, user: User | None, scope: str) -> list[str]:
            return ["letopis"]

        def get_auth_time(self, user: User | None) -> int | None:
            return int(time.time()) if user else None

        def get_amr(self, user: User | None) -> list[str] | None:
            return ["pwd", "mfa"] if user else None

    server = AuthorizationServer(app, query_client=clients.get, save_token=lambda token, request: None)
    server.register_grant(CodeGrant, [CodeChallenge(required=True)])
    server.register_grant(grants.ClientCredentialsGrant)
    server.register_token_generator(
        "default", Tokens(issuer=foreign.url, alg="RS256", expires_generator=lambda *_: 900)
    )

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        ends = {name: f"{foreign.url}/{name}" for name in ("authorize", "token")}
        told = {f"{'authorization' if name == 'authorize' else name}_endpoint": url for name, url in ends.items()}
        return jsonify({"issuer": foreign.url, "jwks_uri": f"{foreign.url}/jwks", **told})

    @app.get("/jwks")
    def jwks() -> Response:
        foreign.asked += 1
        return jsonify(foreign.published())

    @app.get("/authorize")
    def authorize() -> Any:
        return server.create_authorization_response(
            grant_user=User(request.args["login"]), grant=server.get_consent_grant(end_user=User(request.args["login"]))
        )

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    return app


@contextmanager
def running() -> Iterator[Foreign]:
    """The provider on a port of its own, until the block ends."""
    foreign = Foreign(url="")
    foreign.rotate()
    # The application needs to know its own address, which the server gives.
    server = make_server("127.0.0.1", 0, Flask("not yet"), threaded=True)
    foreign.url = f"http://127.0.0.1:{server.server_port}"
    server.app = application(foreign)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield foreign
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
