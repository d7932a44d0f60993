"""What an operator types, on a live stack: retire a full partition, release what is parked, ask what facts cost."""

import asyncio
import json
import os
import re
import subprocess

import pytest
from e2e.chaos.stop_table import served
from e2e.stacks import LETOPIS, until
from e2e.upgrade.kept import heads_of, sealed

from letopis.local.environment import open_secrets
from letopis.local.plan import Plan
from letopis.local.size.measuring import measure
from letopis.local.topology import SERVICES as KNOWN

pytestmark = pytest.mark.drill

# A partition holds 2^24 positions; in this one ledger, of this one stack, it holds 32, as if it had been made so.
SMALL = 32
NARROW = """
DO $$ BEGIN
    EXECUTE format('SET LOCAL ROLE %I', (SELECT tableowner FROM pg_tables WHERE tablename = 'event_registry_p0'));
    ALTER TABLE es.event_registry DETACH PARTITION es.event_registry_p1;
    ALTER TABLE es.event_registry DETACH PARTITION es.event_registry_p0;
    DROP TABLE es.event_registry_p1;
    ALTER TABLE es.event_registry_p0 RENAME TO event_registry_whole;
    CREATE OR REPLACE FUNCTION es.partition_size() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 32::bigint';
    PERFORM es.open_partition('registry', number)
    FROM es.ledger, generate_series(0, head / 32 + 1) AS number WHERE ledger = 'registry';
    INSERT INTO es.event SELECT * FROM es.event_registry_whole;
    DROP TABLE es.event_registry_whole;
END $$
"""
PARK = """
INSERT INTO reacting.parked (reaction, ledger, position, stream, type, event_id, state, error)
SELECT 'enter_when_completed', ledger, position, stream, type, event_id, 'failed', 'ValueError at somewhere'
FROM es.event WHERE ledger = 'registry' AND position = ANY(%s)
"""
LAST = "SELECT max(position) FROM es.event WHERE ledger = 'registry' GROUP BY stream ORDER BY 1 DESC LIMIT 2"
ID = "enter_when_completed.registry.{}"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The newest kept installation, brought to life: its stack and its people."""
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


def told(world):
    """All of the registry's ledger, as its door tells it."""
    return world["irina"].send("GET", "registry", "/v1/ledgers/registry/facts?after=0&limit=5000").text.splitlines()


class TestRetire:
    def test_what_is_retired_is_still_answered_for(self, live):
        """The partition leaves the table for the object store; door, audit and a view built anew miss nothing."""
        stack, world = live.stack, live.world
        before = told(world)
        with stack.connect("registry") as connection:
            connection.execute(NARROW)
        assert len(before) > SMALL
        sealed(stack)
        checkpoint = str(stack.data / "objects" / "log" / "registry" / "checkpoint")
        last = str(heads_of(stack)["registry"] // SMALL)
        refused = stack.run_service("registry", "retire", "registry", last, checkpoint)
        assert (refused.returncode, "the ledger is at" in refused.stderr) == (1, True)
        done = stack.run_service("registry", "retire", "registry", "0", checkpoint)
        assert (done.returncode, "are in the archive" in done.stdout) == (0, True), done.stderr
        with stack.connect("registry") as connection:
            assert connection.execute("SELECT min(position) FROM es.event").fetchone() == (SMALL + 1,)
        assert told(world)[: len(before)] == before
        compared = stack.run_service("registry", "rebuild", "models", "--compare-only")
        assert (compared.returncode, compared.stderr) == (0, ""), compared.stdout
        world["anna"].post("registry", "/v1/models", {"model_id": "later", "name": "Later", "owner": "boris"})
        sealed(stack)
        assert [one for one in world["irina"].get("audit", "/v1/incidents") if one["state"] == "open"] == []


class TestParked:
    @pytest.fixture
    def letopis(self, live, tmp_path):
        """Runs the command as somebody; exit code, and all that was said."""
        own = {"LETOPIS_DATA_DIR": str(live.stack.data), "LETOPIS_CONFIG_DIR": str(tmp_path), "COLUMNS": "200"}

        def run(*arguments):
            done = subprocess.run([LETOPIS, *arguments], env=os.environ | own, capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

        return run

    def test_one_asks_another_agrees_and_it_is_gone(self, live, letopis):
        """Two facts that a reaction could not take: one is tried again, one is skipped; each by two people."""
        with live.stack.connect("registry") as connection:
            positions = [position for (position,) in connection.execute(LAST)]
            connection.execute(PARK, (positions,))
        again, passed = (ID.format(position) for position in positions)
        letopis("login", "--as", "oleg")
        code, text = letopis("parked", "list")
        assert (code, again in text, passed in text, "ValueError at somewhere" in text) == (0, True, True, True)
        reason = ("--reason", "it was completed by hand")
        for way, one in (("retry", again), ("skip", passed)):
            code, text = letopis("parked", way, one, *reason)
            assert (code, f"letopis parked agree {one}" in text) == (0, True), text
        code, text = letopis("parked", "agree", again)
        assert (code, "four_eyes.same_person" in text) == (1, True), text
        letopis("login", "--as", "olga")
        for one in (again, passed):
            code, text = letopis("parked", "agree", one)
            assert (code, "oleg asks to" in text) == (0, True), text
        until("nothing to be parked", lambda: "nothing is parked" in letopis("parked", "list")[1])


class TestSize:
    def test_the_command_says_what_the_parts_add_up_to(self, live):
        """What it forecasts is proved in deploy/local/tests/test_size.py; here it reads an installation that works."""
        sealed(live.stack)
        base = json.loads((live.stack.data / "ports.json").read_bytes())["base"]
        plan = Plan(data=live.stack.data, profile="demo", base_port=base, services=KNOWN, given={}, mlflow=False)
        sizes = asyncio.run(measure(plan, open_secrets(plan)))
        said = subprocess.run([LETOPIS, "size", "--data-dir", live.stack.data], capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        (told,) = re.findall(r"all ([\d,]+) bytes", said.stdout)
        assert int(told.replace(",", "")) == pytest.approx(sizes.bytes, rel=0.05)
        assert all(one.whole.bytes > 0 for one in sizes.ledgers if one.facts)
