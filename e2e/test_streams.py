"""PostgreSQL is the record, NATS is the news: every stream deleted in mid-journey changes nothing that remains."""

import asyncio

import nats
import pytest
from e2e import read_models
from nats.js.errors import NotFoundError

pytestmark = pytest.mark.drill

LEDGERS = ("registry", "features", "access", "inference", "decisions", "monitoring", "audit")


async def news(stack, ledger):
    """The message ids of a ledger's stream in their order, read as the administrator of streams."""
    seed = (stack.data / "secrets" / "admin.nats_seed").read_text("ascii").strip()
    url = stack.part("nats")["address"]
    client = await nats.connect(url, nkeys_seed_str=seed, inbox_prefix=b"_INBOX_admin", allow_reconnect=False)
    try:
        js = client.jetstream()
        try:
            state = (await js.stream_info(f"LEDGER_{ledger}")).state
        except NotFoundError:
            return []
        numbers = range(state.first_seq, state.last_seq + 1) if state.messages else ()
        return [(await js.get_msg(f"LEDGER_{ledger}", seq)).headers["Nats-Msg-Id"] for seq in numbers]
    finally:
        await client.close()


def told(message_ids):
    """The positions that messages tell, in their order."""
    positions = []
    for one in message_ids:
        first, _, last = one.rpartition(":")[2].partition("-")
        positions += range(int(first), int(last or first) + 1)
    return positions


class TestDeleted:
    @pytest.mark.parametrize("ledger", LEDGERS)
    def test_the_relay_publishes_again_from_the_first_fact(self, storm, ledger):
        def complete():
            head = read_models.heads(storm.stack)[ledger]
            return told(asyncio.run(news(storm.stack, ledger))) == list(range(1, head + 1))

        # A quiet ledger's loss is seen at the reconciliation, every minute.
        storm.world.until(f"all news of {ledger}", complete, 90)

    def test_the_loss_is_on_record(self, storm):
        with storm.stack.connect("inference") as connection:
            found = connection.execute("SELECT ledger, found FROM outbox.incident WHERE kind = 'news_lost'").fetchall()
        assert ("decisions", 0) in found

    def test_no_final_read_model_differs_from_one_built_from_the_facts(self, storm):
        live, rebuilt = read_models.dropped_and_back(storm.stack)
        assert read_models.differing(live, rebuilt) == set()
        assert sum(len(rows) for tables in live.values() for rows in tables.values()) > 5 * storm.world.accounts
