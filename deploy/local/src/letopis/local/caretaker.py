"""Tasks that make what parts hold: databases migrated, streams and durables present as long as the stack runs."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from time import sleep

import nats

from letopis.common.errors import LetopisError
from letopis.common.policy.bundle import verify_bundle
from letopis.local.environment import KEYS, Secrets, nats_url, superuser_url
from letopis.local.nats import provision as streams
from letopis.local.nats import subscribers
from letopis.local.opa.server import SignedPolicy
from letopis.local.plan import Plan, has_key_store
from letopis.local.postgres import provision

EVERY = 3.0


def prepare_databases(plan: Plan, secrets: Secrets) -> None:
    """Roles, databases and migrations of every service; ends when all are there."""
    # Imported here: only this task needs it, and what the parent imports all children carry.
    from letopis.common import migrating

    superuser = superuser_url(plan, secrets)
    for service in plan.services:
        database = provision.provision(superuser, service.name, secrets.roles[service.name])
        migrating.upgrade(service.name, database.owner_url, database.app_url, database.projector_url)
    if has_key_store(plan):
        database = provision.provision(superuser, KEYS, secrets.roles[KEYS])
        migrating.upgrade(f"audit.{KEYS}", database.owner_url, database.app_url, database.projector_url)


def keep_streams(plan: Plan, secrets: Secrets, made: Path) -> None:
    """Make streams and durables, touch `made`, and make again what disappears, until the connection is lost."""
    asyncio.run(_keep_streams(nats_url(plan), secrets.admin_seed.read_text("ascii"), plan, made))


async def _keep_streams(url: str, seed: str, plan: Plan, made: Path) -> None:
    client = await nats.connect(
        url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_admin", connect_timeout=5, allow_reconnect=False
    )
    js = client.jetstream(timeout=5)
    while client.is_connected:
        await streams.ensure(js, [*plan.services, *subscribers.known(plan.data)])
        made.touch()  # noqa: ASYNC240 - one file, no other task in this loop.
        await asyncio.sleep(EVERY)
    raise SystemExit("the connection to NATS is lost")


def renew_policy(plan: Plan, policy: SignedPolicy, made: Path) -> None:
    """End OPA's own server whenever a bundle that we verified took the place of the one it read, for ever."""
    held = policy.archive.stat().st_mtime_ns
    made.touch()
    while True:
        sleep(0.25)
        try:
            found = policy.archive.stat().st_mtime_ns
            if found == held:
                continue
            held = found
            verify_bundle(policy.archive, policy.public_key.read_bytes())
        except (OSError, LetopisError) as error:
            print(f"the new policy is refused: {error}", file=sys.stderr)  # noqa: T201 it goes into the part's log
            continue
        told = json.loads((plan.folder("run") / "stack.json").read_bytes())
        pid = next((part["pid"] for part in told["parts"] if part["name"] == "opa"), None)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
