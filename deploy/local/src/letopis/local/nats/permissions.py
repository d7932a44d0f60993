"""Who may publish and subscribe what: every service its own news and the durables it follows, no more."""

from collections.abc import Iterable
from dataclasses import dataclass

from letopis.local.nats import replays
from letopis.local.topology import Service, stream_of

# Whoever may call these can destroy news; nobody may. A stream is lost only with its directory.
DESTRUCTIVE = (
    "$JS.API.STREAM.DELETE.>",
    "$JS.API.STREAM.PURGE.>",
    "$JS.API.STREAM.MSG.DELETE.>",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsUser:
    """A user of the server: a public nkey and allow-lists of subjects."""

    name: str
    public_key: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    publish_denied: tuple[str, ...] = ()


def of_service(service: Service, public_key: str) -> NatsUser:
    """A service publishes to its own ledgers' subjects and binds to its own durables.

    `*` matches whole tokens only, so every durable is named.
    """
    publish = ["$JS.API.INFO", *replays.telling()]
    for ledger in service.owns:
        stream = stream_of(ledger)
        publish += [
            f"letopis.{ledger}.>",
            f"letopis.hint.{ledger}",
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.STREAM.MSG.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}.>",
        ]
    publish += _following(service.name, service.follows)
    return NatsUser(
        name=service.name,
        public_key=public_key,
        publish=tuple(dict.fromkeys(publish)),
        subscribe=(f"_INBOX_{service.name}.>", "letopis.hint.>"),
    )


def of_subscriber(name: str, ledgers: Iterable[str], public_key: str) -> NatsUser:
    """An outside system pulls from durables that the administrator made for it, and says nothing."""
    publish = ("$JS.API.INFO", *replays.reading(name), *_following(name, ledgers))
    return NatsUser(name=name, public_key=public_key, publish=publish, subscribe=(f"_INBOX_{name}.>",))


def _following(name: str, ledgers: Iterable[str]) -> list[str]:
    found = []
    for ledger in ledgers:
        stream, durable = stream_of(ledger), f"{name}_{ledger}"
        found += [
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
            f"$JS.ACK.{stream}.{durable}.>",
        ]
    return found


def of_administrator(public_key: str) -> NatsUser:
    """Who makes streams and durables and can destroy none."""
    return NatsUser(
        name="admin",
        public_key=public_key,
        publish=("$JS.API.>",),
        publish_denied=DESTRUCTIVE,
        subscribe=("_INBOX_admin.>",),
    )
