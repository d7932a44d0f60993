"""A bank's own system that follows a ledger, with the official client of NATS and nothing of Letopis.

It keeps the last position it has dealt with, checks every fact's leaf hash itself, notices what is missing, and
fetches that at the owner's door. Settings come from the environment; see README.md beside it.
"""

import asyncio
import json
import os
import urllib.parse
import urllib.request
from hashlib import sha256
from pathlib import Path

import nats
from nats.errors import Error as NatsError

NAME, LEDGER = os.environ["NAME"], os.environ["LEDGER"]
CHECKPOINT = Path(os.environ["CHECKPOINT_FILE"])
SEED = Path(os.environ["NKEY_SEED_FILE"]).read_text("ascii").strip()
SILENCE = float(os.environ.get("SILENCE", "10"))


def leaf_hash(record):
    """SHA-256(0x00 || leaf): RFC 8785 JSON of strings, the content committed to by its salted hashes."""
    salt = bytes.fromhex(record["salt"])
    leaf = {name: value for name, value in record.items() if name not in {"salt", "data", "meta"}}
    leaf["commitment"] = sha256(b"\x02" + salt + record["data"].encode()).hexdigest()
    leaf["meta"] = sha256(b"\x03" + salt + record["meta"].encode()).hexdigest()
    return sha256(b"\x00" + json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def door(after):
    """What the ledger's owner has after a position, 1,000 facts at most."""
    secret = Path(os.environ["CLIENT_SECRET_FILE"]).read_text("utf-8").strip()
    asked = {"grant_type": "client_credentials", "client_id": NAME, "client_secret": secret}
    with urllib.request.urlopen(os.environ["TOKEN_URL"], urllib.parse.urlencode(asked).encode()) as answer:
        token = json.load(answer)["access_token"]
    url = f"{os.environ['DOOR_URL']}/v1/ledgers/{LEDGER}/facts?after={after}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})) as answer:
        return [json.loads(line) for line in answer]


class Follower:
    """Deals with every fact once, in order. What it does with one belongs where `print` stands."""

    def __init__(self):
        self.last = int(CHECKPOINT.read_text("ascii")) if CHECKPOINT.exists() else 0
        self.streams = {}

    def take(self, record, told="", source="door"):
        position, leaf = int(record["position"]), leaf_hash(record)
        assert position == self.last + 1, f"{position} does not follow {self.last}"
        assert leaf == (told or leaf), f"fact {position} is not what its hash says"
        before = self.streams.get(record["stream"], record["prev"])
        assert record["prev"] == before, f"fact {position} does not follow its stream's {before}"
        print(json.dumps({"position": position, "type": record["type"], "leaf": leaf, "source": source}), flush=True)
        self.streams[record["stream"]] = record["position"]
        self.last = position
        # A database would keep this in the transaction of what was done with the fact.
        CHECKPOINT.write_text(str(position), "ascii")

    def catch_up(self, until=None):
        while until is None or self.last < until:
            records = door(self.last)
            for record in records:
                self.take(record)
            if not records:
                return

    def hear(self, event):
        position = int(event["position"])
        if position > self.last + 1 or (position > self.last and "data" not in event):
            self.catch_up(until=position)
        if position > self.last:
            self.take(event["data"], event["leafhash"], "bus")


async def main():
    inbox = f"_INBOX_{NAME}".encode()
    connection = await nats.connect(
        os.environ["NATS_URL"], nkeys_seed_str=SEED, inbox_prefix=inbox, max_reconnect_attempts=-1
    )
    news = await connection.jetstream().pull_subscribe_bind(f"{NAME}_{LEDGER}", f"LEDGER_{LEDGER}")
    follower = Follower()
    while True:
        try:
            messages = await news.fetch(100, timeout=SILENCE)
        except (NatsError, TimeoutError):
            # Silence shows no hole: the owner knows whether there is more.
            await asyncio.sleep(1)
            follower.catch_up()
            continue
        for message in messages:
            follower.hear(json.loads(message.data))
            await message.ack()


if __name__ == "__main__":
    asyncio.run(main())
