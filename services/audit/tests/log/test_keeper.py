"""Keeping a ledger: copied and sealed while all is well, standing still at an incident, alone."""

import asyncio
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from letopis.audit.incident.decider import INCIDENT, CloseIncident
from letopis.audit.log.copying import Copier, CopyRefused
from letopis.audit.log.keeper import Keeper
from letopis.audit.log.merkle import root_of
from letopis.common.envelope import Actor, Meta
from letopis.common.errors import LedgerHole
from letopis.common.leaf import leaf_hash
from letopis.common.observability import Metrics
from letopis.common.running import end


@dataclass
class Owner:
    """Another service's ledger, in a list; `leafhashes` came with its news."""

    ledger: str
    records: list
    leafhashes: dict = field(default_factory=dict)
    at: dict = field(default_factory=dict)
    known: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    until: int = 0

    async def read(self, after, limit, *, sure=False):
        if isinstance(self.records, Exception):
            raise self.records
        return [one for one in self.records if one.position > after][:limit]

    async def wait(self, after, timeout):  # noqa: ASYNC109 as the source's
        await asyncio.sleep(0.001)

    def taken(self, reader, position):
        self.at[reader] = position
        if position >= self.until:
            self.reached.set()


@pytest.fixture
def keeping(chronicle, kit):
    def keeper(records, ledger="decisions", **owner):
        resources = chronicle.resources
        return Keeper(
            ledger=ledger,
            source=Owner(ledger, records, **owner),
            copier=Copier(ledger, resources.copies),
            sealer=chronicle.sealer(ledger),
            desk=resources.desk,
            clock=resources.clock,
            metrics=Metrics("audit"),
            every=0.01,
        )

    return keeper


async def until(condition):
    """Wait for a state of the ledger, not for time."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def running(*works):
    return [asyncio.create_task(work()) for work in works]


class TestKeeper:
    async def test_copies_and_seals_what_the_owner_tells(self, keeping, kit, chronicle):
        records = kit.decisions(50)
        keeper = keeping(records, leafhashes={one.position: leaf_hash(one) for one in records})
        tasks = await running(keeper.copy, keeper.seal)

        async def sealed():
            answer = await chronicle.client.get("/log/decisions/checkpoint")
            return "\n50\n" in answer.text

        await until(sealed)
        await end(*tasks)
        assert chronicle.resources.log.head("decisions").root == root_of(map(leaf_hash, records))
        assert keeper.source.at == {"audit": 50}

    @pytest.mark.parametrize(
        ("change", "kind", "position"),
        [
            (lambda one: [*one[:20], *one[21:]], "hole", 21),
            (lambda one: LedgerHole("decisions/21 is missing", ledger="decisions", position=21), "hole", 21),
        ],
    )
    async def test_opens_an_incident_at_a_hole(self, keeping, kit, chronicle, change, kind, position):
        keeper = keeping(change(kit.decisions(50)))
        tasks = await running(keeper.copy, keeper.seal)
        await until(keeper.halted)
        await end(*tasks)
        [fact] = await chronicle.facts()
        opened = INCIDENT.facts.decode(fact.type, 1, fact.data)
        assert (opened.ledger, opened.kind, opened.position) == ("decisions", kind, position)

    async def test_opens_an_incident_at_a_leaf_that_was_announced_otherwise(self, keeping, kit, chronicle):
        keeper = keeping(kit.decisions(50), leafhashes={30: bytes(32)})
        tasks = await running(keeper.copy)
        await until(keeper.halted)
        await end(*tasks)
        [fact] = await chronicle.facts()
        assert INCIDENT.facts.decode(fact.type, 1, fact.data).kind == "leaf"

    async def test_stops_this_ledger_and_no_other(self, keeping, kit, chronicle):
        """Row: an incident stops sealing of that ledger only."""
        bad = keeping([*kit.decisions(50)[:20], *kit.decisions(50)[21:]])
        good = keeping(kit.registry(), ledger="registry")
        tasks = await running(bad.copy, bad.seal, good.copy, good.seal)
        await until(bad.halted)

        async def sealed():
            return "\n3\n" in (await chronicle.client.get("/log/registry/checkpoint")).text

        await until(sealed)
        await end(*tasks)
        assert not await good.halted()

    async def test_goes_on_when_a_person_closed_the_incident(self, keeping, kit, chronicle):
        records = kit.decisions(50)
        keeper = keeping([*records[:20], *records[21:]])
        tasks = await running(keeper.copy, keeper.seal)
        await until(keeper.halted)
        keeper.source.records = records
        close = CloseIncident(
            ledger="decisions", person="pavel", comment="the owner was restored", at=keeper.clock.now()
        )
        await keeper.desk.handle(INCIDENT, "decisions", close, Meta(actor=Actor(person="pavel")))

        async def sealed():
            return "\n50\n" in (await chronicle.client.get("/log/decisions/checkpoint")).text

        await until(sealed)
        await end(*tasks)

    async def test_stops_sealing_when_the_copy_was_restored(self, keeping, kit, chronicle, audit_database):
        await chronicle.seal("decisions", kit.decisions(20))
        chronicle.resources.log.shelf.root.joinpath("decisions/tile/0/000.p/20").write_bytes(b"x")
        keeper = keeping(kit.decisions(20))
        tasks = await running(keeper.seal)
        await until(keeper.halted)
        await end(*tasks)
        [fact] = await chronicle.facts()
        assert INCIDENT.facts.decode(fact.type, 1, fact.data).kind == "tiles"


class TestRestored:
    async def test_goes_on_in_a_log_of_its_own_when_two_people_said_so(self, keeping, kit, chronicle, audit_database):
        """Row: yesterday's backup is noticed, named, and continued only with four eyes."""
        records = kit.decisions(30)
        await chronicle.seal("decisions", records[:20])
        await chronicle.seal("decisions", records[20:])
        with psycopg.connect(audit_database.superuser_url) as connection:
            for table in ("record", "record_decisions", "record_decisions_p0"):
                connection.execute(f"ALTER TABLE copy.{table} DISABLE TRIGGER ALL")
            connection.execute("DELETE FROM copy.record WHERE position > 22")
        lived = [*records[:22], *(replace(one, data=b'{"score":1}') for one in kit.decisions(40)[22:])]
        keeper = keeping(lived[:25])
        tasks = await running(keeper.copy, keeper.seal)
        await until(keeper.halted)
        [fact] = await chronicle.facts()
        opened = INCIDENT.facts.decode(fact.type, 1, fact.data)
        assert (opened.ledger, opened.kind) == ("decisions", "restored")

        async def copied():
            return await keeper.copier.head() == 25

        await until(copied)
        doors = "/v1/incidents/decisions"
        alone = await chronicle.post(f"{doors}/closures", {"comment": "all is well"}, by="pavel")
        assert (alone.status_code, alone.json()["code"]) == (409, "incident.four_eyes")
        reason = {"reason": "the disk failed, the backup of Friday is back"}
        assert (await chronicle.post(f"{doors}/continuations", reason, by="anna")).status_code == 403
        asked = await chronicle.post(f"{doors}/continuations", reason, by="pavel")
        assert asked.status_code == 201, asked.text
        assert (await chronicle.post(f"{doors}/approvals", {}, by="pavel")).status_code == 403
        asked = await chronicle.post(f"{doors}/continuations", reason, by="olga")
        assert asked.status_code == 201, asked.text
        old = chronicle.resources.log.shelf.checkpoint("decisions")
        assert (await chronicle.post(f"{doors}/approvals", {}, by="pavel")).status_code == 201
        keeper.source.records = lived

        async def sealed():
            return "\n40\n" in (await chronicle.client.get("/log/decisions/checkpoint")).text

        await until(sealed)
        await end(*tasks)
        approved = INCIDENT.facts.decode("audit.continuation.approved", 1, (await chronicle.facts())[-1].data)
        assert (approved.how.sealed, approved.how.kept) == (30, 20)
        assert (approved.requested_by, approved.person) == ("olga", "pavel")
        told = (await chronicle.client.get("/log/decisions/checkpoint")).text
        assert told.startswith(f"letopis.test/log/{approved.how.log}\n40\n")
        assert chronicle.resources.log.shelf.checkpoint("decisions") == old
        bound = (await chronicle.client.get("/log/decisions/succession")).text
        assert bound.startswith("letopis-succession-v1\nletopis.test/log/decisions\n30\n")

    async def test_goes_on_in_the_same_log_when_the_owner_still_had_everything(
        self, keeping, kit, chronicle, audit_database
    ):
        records = kit.decisions(30)
        await chronicle.seal("decisions", records)
        with psycopg.connect(audit_database.superuser_url) as connection:
            for table in ("record", "record_decisions", "record_decisions_p0"):
                connection.execute(f"ALTER TABLE copy.{table} DISABLE TRIGGER ALL")
            connection.execute("DELETE FROM copy.record WHERE position > 22")
        keeper = keeping([])
        tasks = await running(keeper.copy, keeper.seal)
        await until(keeper.halted)
        keeper.source.records = kit.decisions(35)

        async def copied():
            return await keeper.copier.head() == 35

        await until(copied)
        reason = {"reason": "audit's database was restored alone"}
        asked = await chronicle.post("/v1/incidents/decisions/continuations", reason, by="olga")
        assert asked.status_code == 201, asked.text
        assert (await chronicle.post("/v1/incidents/decisions/approvals", {}, by="pavel")).status_code == 201

        async def sealed():
            return "\n35\n" in (await chronicle.client.get("/log/decisions/checkpoint")).text

        await until(sealed)
        await end(*tasks)
        told = (await chronicle.client.get("/log/decisions/checkpoint")).text
        assert told.startswith("letopis.test/log/decisions\n35\n")
        assert chronicle.resources.log.head("decisions").root == root_of(map(leaf_hash, kit.decisions(35)))


class TestRecheck:
    async def test_finds_nothing_wrong_with_an_owner_that_tells_the_same(self, keeping, kit, chronicle):
        await chronicle.seal("decisions", kit.decisions(20))
        await keeping(kit.decisions(25)).checked()
        await keeping([], ledger="registry").checked()

    async def test_names_an_owner_that_was_restored_from_a_backup(self, keeping, kit, chronicle):
        await chronicle.seal("decisions", kit.decisions(20))
        with pytest.raises(CopyRefused) as refused:
            await keeping(kit.decisions(15)).checked()
        assert (refused.value.kind, refused.value.position) == ("owner_restored", 20)

    async def test_names_an_owner_that_tells_another_fact(self, keeping, kit, chronicle):
        await chronicle.seal("decisions", kit.decisions(20))
        other = [replace(one, data=b'{"score":1}') for one in kit.decisions(25)]
        with pytest.raises(CopyRefused) as refused:
            await keeping(other).checked()
        assert (refused.value.kind, refused.value.position) == ("rewritten", 20)


class TestClosing:
    async def test_over_http_is_the_security_officers(self, keeping, kit, chronicle):
        keeper = keeping(kit.decisions(5))
        await keeper.stop(LedgerHole("decisions/3 is missing", ledger="decisions", position=3))
        assert (await chronicle.post("/v1/incidents/decisions/closures", {"comment": "x"})).status_code == 403
        answer = await chronicle.post("/v1/incidents/decisions/closures", {"comment": "looked"}, by="pavel")
        assert answer.status_code == 201, answer.text
        assert not await keeper.halted()
        again = await chronicle.post("/v1/incidents/decisions/closures", {"comment": "looked"}, by="pavel")
        assert (again.status_code, again.json()["code"]) == (409, "incident.nothing_open")
