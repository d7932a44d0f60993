"""Blue and green: a new generation is compared with the live one before it takes its place, and can be taken back."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from letopis.common.driver import driver
from letopis.common.following import News, OwnLedger
from letopis.common.observability import Metrics
from letopis.common.projecting import generation as generations
from letopis.common.projecting import hands, reader
from letopis.common.projecting.command import Wish, WrongOptions, carry_out, wish
from letopis.common.projecting.rebuild import (
    NothingToReturnTo,
    RebuildRuns,
    ViewDiffers,
    give_back,
    rebuild,
    rebuild_compared,
)
from letopis.common.running import Parts, end
from letopis.common.testing.sample import MONEY, Balances, Deposited, Named, Reversed, Turnovers, facts
from letopis.common.testing.views import content_of

PATIENCE = 90


async def to_the_end(projector):
    while not projector.live:
        await projector.step()
    while await projector.step():
        pass


async def stored(service, view=Balances):
    # A reader remembers for a while where a view is live; another process may just have swapped it.
    await service.reader.positions(view)
    content = {}
    for table in view.tables():
        rows = [dict(row) for row in await service.reader.rows(view, select(table))]
        content[table.name] = {tuple(row[column.name] for column in table.primary_key): row for row in rows}
    return content


async def folded(service, view=Balances):
    return content_of(view, [one for ledger in view.sources for one in await service.store.read(ledger, 0, 100_000)])


async def some_facts(service, count=30):
    for n in range(count):
        await service.tell("money", Deposited(account=f"{n % 3}", amount=n), Reversed(account="1", position=n + 1))
    await service.tell("names", Named(account="1", names=["ж"]))


NAMED = Named(account="b", names=["n"])


async def until_somebody_waits(service):
    """Until a connection of the projector's waits for a lock."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(PATIENCE), service.projecting.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        while not (await connection.execute(waits)).scalar_one():  # noqa: ASYNC110 the database has no event
            await asyncio.sleep(0.01)


async def generations_at(service, ledger="money"):
    """Where each generation stands."""
    query = text("SELECT generation, position FROM projecting.checkpoint WHERE ledger = :ledger")
    async with service.projecting.connect() as connection:
        return dict(tuple(row) for row in await connection.execute(query, {"ledger": ledger}))


async def damaged(service):
    """A live view in which one row is wrong, one is missing, and one is too many."""
    await some_facts(service)
    await to_the_end(service.projector())
    async with service.projecting.begin() as connection:
        await connection.execute(text("UPDATE rm_balances_v1_1.account SET amount = amount + 1 WHERE account = '1'"))
        await connection.execute(text("DELETE FROM rm_balances_v1_1.account WHERE account = '2'"))
        await connection.execute(text("INSERT INTO rm_balances_v1_1.account VALUES ('x', 5, '[]', NULL)"))


def ask(service, folder, **wished):
    return carry_out(Balances, Wish(**wished), service.sources, service.projecting, folder)


class TestCompared:
    async def test_a_rebuild_that_says_something_else_does_not_go_live_and_says_what(self, service, tmp_path):
        await damaged(service)
        wrong = await stored(service)
        with pytest.raises(ViewDiffers, match="3 rows") as refused:
            await ask(service, tmp_path)
        assert await service.schemas() == {"rm_balances_v1_1": "live"}
        assert await stored(service) == wrong
        (path,) = tmp_path.iterdir()
        assert str(path) in refused.value.__notes__[0]
        assert path.stat().st_mode & 0o077 == 0
        report = json.loads(path.read_text("utf-8"))
        account = next(one for one in report["tables"] if one["table"] == "account")
        assert (account["only_live"], account["only_new"], account["differing"]) == (1, 1, 1)
        assert account["columns"] == {"amount": 1}
        right = (await folded(service))["account"]["1",]["amount"]
        assert account["first"] == [
            {"key": ["1"], "row": "differs", "columns": {"amount": [right + 1, right]}},
            {"key": ["2"], "row": "only new", "columns": {}},
            {"key": ["x"], "row": "only live", "columns": {}},
        ]
        assert report["positions"] == {"money": 60, "names": 1}

    async def test_accepted_with_a_reason_it_goes_live(self, service, tmp_path):
        await damaged(service)
        told = await ask(service, tmp_path, accept="the row was changed by hand on 21 November")
        assert "3 rows differ" in told
        assert await service.schemas() == {"rm_balances_v1_1": "retired", "rm_balances_v1_2": "live"}
        assert await stored(service) == await folded(service)
        (path,) = tmp_path.iterdir()
        assert json.loads(path.read_text("utf-8"))["accepted"].startswith("the row was changed")

    async def test_compare_only_leaves_everything_as_it_was(self, service, tmp_path):
        await some_facts(service)
        await to_the_end(service.projector())
        told = await ask(service, tmp_path, compare_only=True)
        assert "0 rows differ" in told
        assert await service.schemas() == {"rm_balances_v1_1": "live"}
        assert list(tmp_path.iterdir()) == []

    async def test_differences_of_a_new_version_are_told_and_expected(self, service, tmp_path):
        class Doubled(Balances):
            version = 2

            def project(self, rows, told):
                super().project(rows, told)
                if isinstance(told.fact, Named):
                    row = rows[self.account, (told.fact.account,)]
                    rows[self.account, (told.fact.account,)] = {**row, "names": [*row["names"], "!"]}

        await some_facts(service)
        await to_the_end(service.projector())
        told = await carry_out(Doubled, Wish(), service.sources, service.projecting, tmp_path)
        assert "1 rows differ" in told
        report = json.loads(next(tmp_path.iterdir()).read_text("utf-8"))
        assert report["expected"] is True
        assert report["tables"][0]["first"][0]["columns"] == {"names": [["ж"], ["ж", "!"]]}
        assert (await service.schemas())["rm_balances_v2_1"] == "live"

    async def test_compares_at_the_positions_of_a_live_view_that_is_behind(self, service, tmp_path):
        """The live one is not moved; facts after its position are no differences."""
        await some_facts(service)
        await to_the_end(service.projector())
        await service.tell("money", Deposited(account="late", amount=1))
        told = await ask(service, tmp_path)
        assert "0 rows differ" in told
        assert await stored(service) == await folded(service)

    def test_options(self):
        assert wish(["--accept-differences", "why"]) == Wish(accept="why")
        assert wish(["--return"]) == Wish(give_back=True)
        for wrong in (
            ["--accept-differences"],
            ["--accept-differences", " "],
            ["--force"],
            ["--return", "--compare-only"],
        ):
            with pytest.raises(WrongOptions):
                wish(wrong)


class TestReturn:
    async def test_the_retired_generation_catches_up_and_is_live_again_and_back(self, service):
        await some_facts(service)
        await to_the_end(service.projector())
        await rebuild(Balances, service.sources, service.projecting)
        running = asyncio.create_task(service.projector().run())
        done = await service.tell("money", Deposited(account="after", amount=1))
        await service.reader.wait(Balances, {"money": done.last}, PATIENCE)
        assert (await give_back(Balances, service.sources, service.projecting)).number == 1
        assert await service.schemas() == {"rm_balances_v1_1": "live", "rm_balances_v1_2": "retired"}
        assert await stored(service) == await folded(service)
        # The running projector follows.
        done = await service.tell("names", Named(account="after", names=["n"]))
        await service.reader.wait(Balances, {"names": done.last}, PATIENCE)
        assert await stored(service) == await folded(service)
        assert (await give_back(Balances, service.sources, service.projecting)).number == 2
        await end(running)

    async def test_is_refused_where_there_is_nothing_this_program_can_read(self, service):
        class Second(Balances):
            version = 2

        await to_the_end(service.projector())
        with pytest.raises(NothingToReturnTo):
            await give_back(Balances, service.sources, service.projecting)
        await to_the_end(service.projector(Second))
        with pytest.raises(NothingToReturnTo, match="version 1 is there"):
            await give_back(Second, service.sources, service.projecting)
        # The release that has version 1 returns to it.
        assert (await give_back(Balances, service.sources, service.projecting)).version == 1
        assert await service.schemas() == {"rm_balances_v1_1": "live", "rm_balances_v2_1": "retired"}


class TestBeside:
    async def test_readers_get_answers_that_only_grow_all_through_a_rebuild(self, service):
        """Appends, their projection, Min-Position waits and reads go on while generation after generation is built."""
        await service.tell("money", *(Deposited(account="a", amount=1) for _ in range(500)))
        # As in a service: a projector that meets the swap badly begins again.
        parts = Parts(Metrics("test"))
        parts.add("view", service.projector().run)
        running = asyncio.create_task(parts.run())
        await service.reader.wait(Balances, {"money": 500}, PATIENCE)
        answers, stop = [], asyncio.Event()

        async def hammer():
            while not stop.is_set():
                rows = await service.reader.rows(Balances, select(Balances.account.c.amount))
                answers.append(rows[0]["amount"])

        async def write():
            while not stop.is_set():
                done = await service.tell("money", Deposited(account="a", amount=1))
                await service.reader.wait(Balances, {"money": done.last}, PATIENCE)
                rows = await service.reader.rows(Balances, select(Balances.account.c.amount))
                assert rows[0]["amount"] >= done.last

        work = [asyncio.create_task(hammer()), asyncio.create_task(write())]
        for _ in range(2):
            await rebuild(Balances, service.sources, service.projecting)
        stop.set()
        await asyncio.gather(*work)
        await end(running)
        assert answers == sorted(answers)
        assert answers[0] >= 500
        assert (await service.schemas())["rm_balances_v1_3"] == "live"

    async def test_a_projector_that_waited_for_a_swap_does_not_write_into_what_is_retired(self, service):
        """It stands at the lock with a fact in its hands while the swap is committed: the fact goes to the new one."""
        await some_facts(service)
        live = service.projector()
        await to_the_end(live)
        async with driver(service.projecting) as (connection, _):
            fresh = await generations.start(connection, live.view)
            built = service.projector(generation=fresh)
            while not built.settled:
                await built.step()
            done = await service.tell("money", Deposited(account="0", amount=7))
            async with connection.transaction():
                held = await generations.hold(connection, live.view, fresh.in_state("catching_up"))
                assert held.live.schema == "rm_balances_v1_1"
                late = asyncio.create_task(live.step())
                await until_somebody_waits(service)
                assert await generations.swap(connection, live.view, fresh.in_state("catching_up"))
        await late
        assert await generations_at(service) == {1: done.last - 1, 2: done.last}
        assert await stored(service) == await folded(service)

    async def test_goes_live_although_facts_never_cease(self, service):
        """Each look at a ledger finds another fact in it, and the live view takes them all the time."""

        class Busy(OwnLedger):
            async def read(self, after, limit, *, sure=False):
                await service.tell(self.ledger, Deposited(account="b", amount=1) if self.ledger == "money" else NAMED)
                return await super().read(after, limit, sure=sure)

        await some_facts(service)
        quiet, news = dict(service.sources), News()
        live = service.projector()
        for ledger in service.sources:
            service.sources[ledger] = Busy(service.store, ledger, news)
        first = service.projector()
        steps = 0
        while not first.live:
            await first.step()
            steps += 1
        assert steps < 10
        done = await rebuild_compared(Balances, service.sources, service.projecting)
        assert done.live
        assert not done.differences.count
        service.sources.update(quiet)
        await to_the_end(live)
        assert await stored(service) == await folded(service)

    async def test_an_answer_from_before_a_swap_that_comes_late_leads_nobody_back(self, service, monkeypatch):
        await some_facts(service)
        await to_the_end(service.projector())
        late = service.reader
        entered, go = asyncio.Event(), asyncio.Event()
        connect = late._engine.connect

        @asynccontextmanager
        async def slowly():
            async with connect() as connection:
                yield connection
            if not entered.is_set():
                entered.set()
                await go.wait()

        monkeypatch.setattr(late, "_engine", SimpleNamespace(connect=slowly))
        asked = asyncio.create_task(late.positions(Balances))
        await entered.wait()
        await rebuild(Balances, service.sources, service.projecting)
        done = await service.tell("money", Deposited(account="0", amount=1000))
        await to_the_end(service.projector())
        # Remembered no longer, so that time cannot be what keeps the late answer out.
        monkeypatch.setattr(reader, "REMEMBERED", 0)
        await late.wait(Balances, {"money": done.last}, PATIENCE)
        go.set()
        assert (await asked)["money"] < done.last
        monkeypatch.setattr(reader, "REMEMBERED", 1000)
        assert await stored(service) == await folded(service)

    async def test_one_rebuild_at_a_time(self, service):
        await some_facts(service)
        first = asyncio.create_task(rebuild(Balances, service.sources, service.projecting))
        while "building" not in (await service.schemas()).values():  # noqa: ASYNC110 the database has no event
            await asyncio.sleep(0)
        with pytest.raises(RebuildRuns):
            await rebuild(Balances, service.sources, service.projecting)
        await first

    async def test_two_projectors_on_two_ledgers_of_the_same_rows_lose_nothing(self, service):
        """A fact of each ledger for the same account, each by the projector that reads only that one first."""
        await to_the_end(service.projector())
        for n in range(15):
            await asyncio.gather(
                service.tell("money", Deposited(account=f"{n}", amount=n + 1)),
                service.tell("names", Named(account=f"{n}", names=[f"{n}"])),
            )
        one, two = service.projector(batch=1), service.projector(batch=1)
        two._sources = dict(reversed(one._sources.items()))
        await asyncio.gather(to_the_end(one), to_the_end(two))
        assert await stored(service) == await folded(service)

    async def test_who_builds_views_may_do_nothing_else(self, service):
        """No side effects: the role that a rebuild works as can neither append, nor publish, nor react."""
        await some_facts(service)
        await to_the_end(service.projector())
        heads = {ledger: await service.store.head(ledger) for ledger in service.sources}
        await rebuild(Balances, service.sources, service.projecting)
        assert heads == {ledger: await service.store.head(ledger) for ledger in service.sources}
        may = text(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('es', 'outbox', 'reacting') AND c.relkind IN ('r', 'p')"
            " AND has_schema_privilege(n.oid, 'USAGE')"
            " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
            " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'es' AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype"
            " AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')"
        )
        async with service.projecting.connect() as connection:
            assert (await connection.execute(may)).all() == []


class TestHands:
    """Several processes fold the shares of a view; what they make is what one makes."""

    async def accounts(self, service):
        for n in range(60):
            stream, told = f"account:{n % 7}", (Deposited(account=f"{n % 7}", amount=n),)
            if n % 11 == 10:
                told = (Reversed(account=f"{n % 7}", position=1),)
            version = await service.store.stream_head("money", stream)
            await service.store.append("money", stream, version, facts(MONEY, *told))
        await to_the_end(service.projector(Turnovers))

    async def test_make_what_one_makes_and_the_last_facts_come_after(self, service, monkeypatch):
        await self.accounts(service)
        monkeypatch.setattr(hands, "MANY", 10)
        fed, build = [], hands.build

        async def built(*arguments):
            fed.append(await build(*arguments))
            # Nobody else finds what is built, and the live view goes on.
            await service.tell("money", Deposited(account="late", amount=1))
            await to_the_end(service.projector(Turnovers))
            assert await service.schemas() == {"rm_turnovers_v1_1": "live", "rm_turnovers_v1_2": "building"}
            return fed[0]

        monkeypatch.setattr(hands, "build", built)
        done = await rebuild_compared(Turnovers, service.sources, service.projecting, processes=2)
        assert (fed, done.facts, done.differences.count, done.live) == ([60], 61, 0, True)
        assert await service.schemas() == {"rm_turnovers_v1_1": "retired", "rm_turnovers_v1_2": "live"}
        assert await stored(service, Turnovers) == await folded(service, Turnovers)

    async def test_one_that_fails_leaves_the_live_view_alone(self, service, monkeypatch):
        await self.accounts(service)
        monkeypatch.setattr(hands, "MANY", 10)
        monkeypatch.setattr(hands, "sys", SimpleNamespace(executable="/bin/false"))
        with pytest.raises(hands.HandsFailed):
            await rebuild_compared(Turnovers, service.sources, service.projecting, processes=2)
        assert await service.schemas() == {"rm_turnovers_v1_1": "live"}

    async def test_a_short_ledger_or_a_view_without_shares_is_built_by_one(self, service, monkeypatch):
        await self.accounts(service)
        monkeypatch.setattr(hands, "build", None)
        assert (await rebuild_compared(Turnovers, service.sources, service.projecting, processes=2)).live
        monkeypatch.setattr(hands, "MANY", 10)
        assert (await rebuild_compared(Balances, service.sources, service.projecting, processes=2)).live


KILLED = """
import asyncio, sys
from letopis.common import faults
from letopis.common.database import open_engine
from letopis.common.eventstore.postgres import PostgresEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.projecting.rebuild import rebuild
from letopis.common.testing.sample import Balances

async def main(app, projector, fault):
    faults.arm(fault)
    store, news = PostgresEventStore(open_engine(app, autocommit=True)), News()
    sources = {ledger: OwnLedger(store, ledger, news) for ledger in ("money", "names")}
    await rebuild(Balances, sources, open_engine(projector))

asyncio.run(main(*sys.argv[1:]))
"""


class TestKilled:
    async def test_a_rebuild_killed_anywhere_leaves_the_live_view_alone_and_the_next_one_finishes(self, service):
        """kill -9 at each step of a rebuild; meanwhile the live view takes facts, and no half-built schema stays."""
        await some_facts(service)
        await to_the_end(service.projector())
        urls = [engine.url.render_as_string(hide_password=False) for engine in (service.app, service.projecting)]
        for fault in ("view.written", "view.committed=2", "view.indexed", "view.compared", "view.swapped"):
            before = await service.schemas()
            command = [sys.executable, "-c", KILLED, *urls, fault]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE)
            assert done.returncode == -9, done.stderr
            assert f"fault point {fault.partition('=')[0]} struck" in done.stderr
            after = await service.schemas()
            live = [schema for schema, state in after.items() if state == "live"]
            assert len(live) == 1
            if fault != "view.swapped":
                assert {schema: after[schema] for schema in before} == before
                assert set(after.values()) & {"building", "catching_up"}
            await service.tell("money", Deposited(account="0", amount=7))
            await to_the_end(service.projector())
            assert await stored(service) == await folded(service)
            await self._rebuilt(service)
            assert sorted((await service.schemas()).values()) == ["live", "retired"]
        assert await stored(service) == await folded(service)

    @staticmethod
    async def _rebuilt(service):
        """The server may notice a moment later than we that the connection of the killed one is gone."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await rebuild(Balances, service.sources, service.projecting)
                except RebuildRuns:
                    await asyncio.sleep(0.05)
