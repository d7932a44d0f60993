"""Kill -9 of each service, of NATS, PostgreSQL and the policy engine in turn while the journey runs."""

from collections import Counter

import pytest
from e2e import read_models
from e2e.journey.story import SINGLE
from e2e.stacks import SERVICES
from e2e.storm import ACCOUNTS, FAULTS, STREAMS

from letopis.common.ledgers import OWNERS

pytestmark = pytest.mark.drill

# What the journey asks for, once each, whatever had to be repeated.
ASKED = {
    "registry.enrolment.used": 1,
    "registry.evidence.added": 12,
    "registry.model.registered": 1,
    "registry.model.version_numbered": 3,
    "registry.principal.key_enrolled": 2,
    "registry.principal.registered": 9,
    "registry.production.entered": 2,
    "registry.production.rolled_back": 1,
    "registry.promotion.approved": 2,
    "registry.promotion.completed": 2,
    "registry.promotion.requested": 2,
    "registry.use_case.approved": 1,
    "registry.use_case.proposed": 1,
    "registry.version.registered": 3,
    "features.batch.committed": 2,
    "features.batch.materialised": 2,
    "features.bundle.registered": 1,
    "features.dataset.built": 4,
    "features.grant.issued": 4,
    "features.source.extract_recorded": 2,
    "features.source.registered": 2,
    "features.view.registered": 1,
    "inference.deployment.deployed": 1,
    "inference.deployment.replaced": 2,
    "inference.job.completed": 5,
    "inference.job.started": 5,
    "monitoring.alert.acknowledged": 1,
    "monitoring.monitor.defined": 1,
    "monitoring.outcome.recorded": 4,
    "decisions.decision.made": 5 * ACCOUNTS + SINGLE,
}


@pytest.fixture(scope="module")
def facts(storm):
    """Event id, ledger, position, stream, version, type of every stored fact."""
    query = "SELECT event_id::text, ledger, position, stream, version, type FROM es.event ORDER BY ledger, position"
    found = []
    for service in SERVICES:
        with storm.stack.connect(service) as connection:
            found += connection.execute(query).fetchall()
    return found


class TestKilled:
    def test_each_part_died_once_and_the_journey_came_to_its_end(self, storm):
        """D12: each service is killed mid-flow; the supervisor brings it back and the journey completes."""
        killed = [name for name, _ in storm.killed]
        assert {*SERVICES, "nats", "postgres", "opa", STREAMS} <= set(killed)
        assert len(killed) == len(FAULTS)
        for name, pid in storm.killed:
            if name != STREAMS:
                assert storm.stack.part(name)["pid"] != pid
                assert storm.stack.part(name)["state"] == "ready"
        assert storm.story.pack is not None
        assert storm.story.alert["feature"] == "status"

    def test_nothing_acknowledged_is_lost(self, storm, facts):
        """D12: every fact that a receipt named, and every decision that was answered, is stored once."""
        stored = Counter(event_id for event_id, *_ in facts)
        assert len(storm.events) > 60
        assert len(storm.decisions) == SINGLE
        # A decision's number is the event id of its fact.
        assert {one: stored[one] for one in storm.events + storm.decisions if stored[one] != 1} == {}

    def test_nothing_is_doubled(self, storm, facts):
        """D12: what had to be asked twice has happened once; every row of every file is decided once."""
        happened = Counter(kind for *_, kind in facts)
        assert {kind: happened[kind] for kind in ASKED} == ASKED
        assert max(Counter(event_id for event_id, *_ in facts).values()) == 1
        query = (
            "SELECT count(*) FROM es.readable WHERE type = 'audit.pack.made' AND data::jsonb->'scope' ? 'decision_id'"
        )
        with storm.stack.connect("audit") as connection:
            assert connection.execute(query).fetchone() == (1,)
        query = (
            "SELECT data->>'job_id', data->>'entity_id', count(*) FROM es.readable "
            "WHERE type = 'decisions.decision.made' AND data->>'kind' <> 'single' GROUP BY 1, 2"
        )
        with storm.stack.connect("inference") as connection:
            rows = connection.execute(query).fetchall()
        assert len(rows) == 5 * ACCOUNTS
        assert {count for *_, count in rows} == {1}

    def test_every_ledger_is_gap_free(self, storm, facts):
        """D12: positions of every ledger and versions of every stream count from one without a gap."""
        heads = read_models.heads(storm.stack)
        streams: dict[tuple[str, str], int] = {}
        positions: dict[str, int] = {}
        for _, ledger, position, stream, version, _ in facts:
            assert position == positions.get(ledger, 0) + 1
            positions[ledger] = position
            assert version == streams.get((ledger, stream), 0) + 1
            streams[ledger, stream] = version
        assert positions == {ledger: head for ledger, head in heads.items() if head}
        # The console's holds refusals alone, and nobody was refused there.
        assert positions.keys() >= OWNERS.keys() - {"console"}

    def test_the_chronicle_has_it_all(self, storm, facts):
        """D12: audit's copy of every ledger is gapless, equal to what the owner stored, and no alarm was raised."""
        ends = read_models.heads(storm.stack)

        def copied() -> bool:
            with storm.stack.connect("audit") as connection:
                rows = connection.execute("SELECT ledger, max(position), count(*) FROM copy.record GROUP BY 1")
                found = {ledger: (last, count) for ledger, last, count in rows.fetchall()}
            whole = all(last == count for last, count in found.values())
            return whole and all(found.get(ledger, (0, 0))[0] >= head for ledger, head in ends.items())

        storm.world.until("audit's copy of every ledger", copied)
        with storm.stack.connect("audit") as connection:
            query = "SELECT event_id::text, ledger, position FROM copy.record"
            copies = set(connection.execute(query).fetchall())
        assert {(event_id, ledger, position) for event_id, ledger, position, *_ in facts} <= copies
        assert not any(kind.startswith("audit.incident") for *_, kind in facts)
