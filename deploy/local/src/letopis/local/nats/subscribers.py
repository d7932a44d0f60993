"""Outside systems that follow ledgers: each has a key, a client secret and durables of its own, made here.

`subscribers.json` in the data directory lists them; the server's users, the keeper of streams and the issuer read it.
"""

import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from letopis.common.errors import LetopisError
from letopis.common.ledgers import LEDGERS
from letopis.local.nats.keys import new_seed, public_key
from letopis.local.nats.permissions import NatsUser, of_subscriber
from letopis.local.topology import OFFSETS
from letopis.local.vault import Vault, new_password

_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")


class SubscriberInvalid(LetopisError):
    """A subscriber cannot be called so, or follow that."""

    code = "local.subscriber_invalid"
    title = "There cannot be such a subscriber"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """An outside system: `<name>_<ledger>` is its durable of each ledger that it follows."""

    name: str
    follows: tuple[str, ...]


def known(data: Path) -> tuple[Subscriber, ...]:
    """The subscribers of a data directory."""
    try:
        return msgspec.json.decode((data / "subscribers.json").read_bytes(), type=tuple[Subscriber, ...])
    except FileNotFoundError:
        return ()


def add(data: Path, name: str, ledgers: Sequence[str]) -> Subscriber:
    """Make a subscriber, or let a known one follow more; its key and client secret are in `secrets`."""
    if not _NAME.match(name) or name in {*OFFSETS, "admin", "bank-app"}:
        raise SubscriberInvalid(f"{name!r}: 2 to 31 lower-case letters, digits and hyphens, and no name of ours")
    if unknown := sorted(set(ledgers) - set(LEDGERS)):
        raise SubscriberInvalid(f"there is no ledger {', '.join(unknown)} (there are: {', '.join(LEDGERS)})")
    before = {one.name: one for one in known(data)}
    follows = before[name].follows if name in before else ()
    made = Subscriber(name=name, follows=tuple(dict.fromkeys((*follows, *ledgers))))
    vault = Vault(data / "secrets")
    vault.path(f"{name}.nats_seed", new_seed)
    vault.path(f"{name}.client_secret", new_password)
    aside = data / ".subscribers.json"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(tuple((before | {name: made}).values()))))
    aside.rename(data / "subscribers.json")
    return made


def users(data: Path) -> list[NatsUser]:
    """What the server lets them do."""
    folder = data / "secrets"
    return [of_subscriber(one.name, one.follows, _key(folder, one.name)) for one in known(data)]


def reload(pid: int) -> None:
    """The running server reads its users again; connections that stand are kept."""
    os.kill(pid, signal.SIGHUP)


def _key(folder: Path, name: str) -> str:
    return public_key((folder / f"{name}.nats_seed").read_text("ascii"))
