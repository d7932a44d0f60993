"""The one fact that common owns: somebody known asked for what policy does not allow."""

from dataclasses import dataclass

from letopis.common.envelope import Authorization, Meta, encode_meta
from letopis.common.errors import Unavailable
from letopis.common.eventstore.port import EventStore
from letopis.common.handling import new_fact
from letopis.common.serialization import Catalogue


class DenialNotRecorded(Unavailable):
    """A denial that cannot be written down is not given either: the caller tries again."""

    code = "authorization.not_recorded"
    title = "The decision cannot be recorded now, so none is given"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDenied:
    """Who was denied what, and by which rules; question and answer stand whole in the fact's meta."""

    authorization_id: str
    action: str
    login: str
    person: str
    purpose: str
    object_type: str
    object_id: str
    rules: tuple[str, ...]


def denials(ledger: str) -> Catalogue:
    """The catalogue of a ledger's denials, `<ledger>.authorization.denied`; every ledger has its own."""
    return Catalogue([(f"{ledger}.authorization.denied", 1, AuthorizationDenied)])


async def record_denial(store: EventStore, ledger: str, meta: Meta, authorization: Authorization) -> int:
    """Append the denial and return its position; it MUST be durable before the 403 leaves.

    It carries no command id: a retry after a grant must not meet the old answer.
    """
    asked = authorization.input
    fact = AuthorizationDenied(
        authorization_id=authorization.authorization_id,
        action=authorization.action,
        login=asked["subject"]["login"],
        person=asked["subject"]["person"],
        purpose=asked["purpose"],
        object_type=asked["object"]["type"],
        object_id=asked["object"]["id"],
        rules=tuple(authorization.result["deny"]),
    )
    stream = f"authorization:{authorization.authorization_id}"
    try:
        done = await store.append(ledger, stream, 0, [new_fact(denials(ledger), fact, encode_meta(meta))])
    except Unavailable as error:
        raise DenialNotRecorded(error.detail) from error
    return done.last
