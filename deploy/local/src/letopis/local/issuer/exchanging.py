"""Token exchange (RFC 8693): a service that serves a person acts in their name towards one other service.

What comes out is worth less than what went in: one service, one purpose, five minutes, and not past the end of the
person's own token. It is never exchanged again, and no program's token is.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from letopis.local.issuer.clients import Client
from letopis.local.issuer.desk import LOG, LoginDesk
from letopis.local.issuer.forms import OAuthError
from letopis.local.issuer.minting import AUDIENCE
from letopis.local.topology import SERVICES

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 a name of RFC 8693, no secret
LASTS = timedelta(minutes=5)
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,127}\Z")
_CALLEES = frozenset(f"{AUDIENCE}:{service.name}" for service in SERVICES)


def exchange(desk: LoginDesk, client: Client, posted: dict[str, str]) -> dict[str, Any]:
    """The answer of RFC 8693, section 2.2."""
    audience, purpose = posted.get("audience", ""), posted.get("purpose", "")
    if posted.get("subject_token_type") != ACCESS_TOKEN or "actor_token" in posted:
        raise OAuthError("invalid_request", "only a person's access token is exchanged, and the client is the actor")
    if posted.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise OAuthError("invalid_request", "only access tokens are given")
    if audience not in _CALLEES:
        raise OAuthError("invalid_target", f"audience names one service: {', '.join(sorted(_CALLEES))}")
    if not _PURPOSE.match(purpose):
        raise OAuthError("invalid_request", "state the purpose that the person stated")
    now = desk.clock.now()
    subject = desk.mint.read(posted.get("subject_token", ""), "at+jwt")
    if subject is None or subject["exp"] <= now.timestamp() or subject["aud"] != AUDIENCE:
        raise OAuthError("invalid_grant", "the subject token is not a good one of ours")
    if "act" in subject or "service" in subject or subject["sub"] == subject["client_id"]:
        raise OAuthError("invalid_grant", "nobody acts in the name of a program, or in a name that was lent to them")
    person = desk.users.find(subject["sub"])
    if person is None:
        raise OAuthError("invalid_grant", "this login does not exist any more")
    until = min(now + LASTS, datetime.fromtimestamp(subject["exp"], UTC))
    LOG.info("%s acts for %s towards %s", client.client_id, person.login, audience)
    return {
        "access_token": desk.mint.delegated(person, client, audience, purpose, now, until),
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": int((until - now).total_seconds()),
    }
