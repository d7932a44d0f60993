"""The projector on PostgreSQL: what it keeps equals the fold, whatever interrupts it."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from letopis.common.errors import LedgerHole, Unavailable
from letopis.common.observability import Metrics
from letopis.common.projecting import generation as generations
from letopis.common.projecting.folding import ViewStuck
from letopis.common.projecting.reader import ViewMissing
from letopis.common.projecting.rebuild import rebuild
from letopis.common.projecting.tables import StoredTable
from letopis.common.running import end
from letopis.common.testing.sample import Balances, Deposited, Named, Reversed
from letopis.common.testing.views import content_of


async def until_live(projector):
    while not projector.live:
        await projector.step()


async def to_the_end(projector):
    await until_live(projector)
    while await projector.step():
        pass


async def stored(service, view=Balances):
    content = {}
    for table in view.tables():
        rows = [dict(row) for row in await service.reader.rows(view, select(table))]
        content[table.name] = {tuple(row[column.name] for column in table.primary_key): row for row in rows}
    return content


async def folded(service, view=Balances):
    return content_of(view, [one for ledger in view.sources for one in await service.store.read(ledger, 0, 100_000)])


FACTS = st.lists(
    st.one_of(
        st.tuples(st.just("money"), st.builds(Deposited, account=st.sampled_from("ab"), amount=st.integers(-9, 9))),
        st.tuples(st.just("money"), st.builds(Reversed, account=st.sampled_from("ab"), position=st.integers(1, 9))),
        st.tuples(st.just("names"), st.builds(Named, account=st.sampled_from("ab"), names=st.just(["ж", "\\", "\t'"]))),
    ),
    min_size=1,
    max_size=12,
)


class TestProjector:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(told=FACTS, batch=st.integers(1, 5))
    async def test_keeps_what_the_fold_says(self, service, told, batch):
        """Incremental equals folded whole; examples go on from each other's rows, the reading is by random batches."""
        projector = service.projector(batch=batch)
        for ledger, fact in told:
            await service.tell(ledger, fact)
        await to_the_end(projector)
        assert await stored(service) == await folded(service)

    async def test_is_not_read_before_it_is_whole(self, service):
        await service.tell("money", Deposited(account="a", amount=1), Deposited(account="a", amount=2))
        projector = service.projector(batch=1)
        await projector.step()
        with pytest.raises(ViewMissing):
            await service.reader.rows(Balances, select(Balances.account))
        await until_live(projector)
        assert (await stored(service))["account"]["a",]["amount"] == 3
        assert await service.schemas() == {"rm_balances_v1_1": "live"}

    async def test_makes_indexes(self, service):
        await until_live(service.projector())
        async with service.projecting.connect() as connection:
            found = await connection.execute(
                text("SELECT indexname FROM pg_indexes WHERE schemaname = 'rm_balances_v1_1'")
            )
            assert "ix_entry_amount" in {name for (name,) in found}

    async def test_wakes_up_for_news(self, service):
        running = asyncio.create_task(service.projector().run())
        done = await service.tell("money", Deposited(account="a", amount=5))
        await service.reader.wait(Balances, {"money": done.last, "strange": 9}, 10)
        done = await service.tell("names", Named(account="a", names=["n"]))
        await service.reader.wait(Balances, {"names": done.last}, 10)
        assert (await stored(service))["account"]["a",]["names"] == ["n"]
        with pytest.raises(TimeoutError):
            await service.reader.wait(Balances, {"money": 100}, 0.1)
        await end(running)

    @pytest.mark.parametrize("place", ["stand", "load", "write", "advance"])
    @pytest.mark.parametrize("after", [False, True])
    async def test_killed_anywhere_loses_and_doubles_nothing(self, service, monkeypatch, place, after):
        """Cancelled at every third visit to a place in the transaction; another projector takes over."""
        for n in range(20):
            await service.tell("money", Deposited(account=f"{n % 3}", amount=n))
        await until_live(service.projector())
        for n in range(20):
            await service.tell("money", Deposited(account=f"{n % 3}", amount=n))
        owner = generations if place in {"stand", "advance"} else StoredTable
        real, visits = getattr(owner, place), 0

        async def deadly(*arguments):
            nonlocal visits
            visits += 1
            if visits % 3 == 1 and not after:
                asyncio.current_task().cancel()
            told = await real(*arguments)
            if visits % 3 == 1 and after:
                asyncio.current_task().cancel()
            return told

        monkeypatch.setattr(owner, place, deadly)
        deaths = 0
        while True:
            work = asyncio.create_task(to_the_end(service.projector(batch=7)))
            await asyncio.wait([work])
            if not work.cancelled():
                break
            deaths += 1
        await work
        assert deaths > 0
        assert await stored(service) == await folded(service)

    async def test_two_at_once_apply_each_fact_once(self, service):
        for n in range(40):
            await service.tell("money", Deposited(account="a", amount=n))
        await asyncio.gather(*(to_the_end(service.projector(batch=3)) for _ in range(2)))
        assert await stored(service) == await folded(service)

    async def test_stops_at_a_hole(self, service):
        class Holed:
            ledger, known = "money", 3

            async def read(self, after, limit, *, sure=False):
                return [one for one in await service.store.read("money", after, limit) if one.position != 2]

            async def head(self):
                return 3

            def taken(self, reader, position):
                pass

        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(3)))
        service.sources["money"] = Holed()
        with pytest.raises(LedgerHole):
            await to_the_end(service.projector())

    async def test_stops_at_a_fact_it_cannot_take_and_says_so(self, service):
        class Broken(Balances):
            def project(self, rows, told):
                if told.record.position == 3:
                    raise ValueError
                super().project(rows, told)

        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(5)))
        metrics = Metrics("test")
        projector = service.projector(Broken, metrics=metrics)
        with pytest.raises(ViewStuck):
            await to_the_end(projector)
        assert b'letopis_view_stuck{view="balances"} 1.0' in metrics.text()
        await to_the_end(service.projector(metrics=metrics))
        assert await stored(service) == await folded(service)
        assert b'letopis_view_stuck{view="balances"} 0.0' in metrics.text()
        assert b'letopis_view_lag_events{ledger="money",view="balances"} 0.0' in metrics.text()

    async def test_the_application_can_read_and_not_write(self, service):
        await until_live(service.projector())
        async with service.store.engine.connect() as connection:
            await connection.execute(text("SELECT * FROM rm_balances_v1_1.account"))
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(text("DELETE FROM rm_balances_v1_1.account"))
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(text("UPDATE projecting.checkpoint SET position = 0"))


class TestGenerations:
    async def test_a_rebuild_gives_the_same_rows_beside_the_live_ones(self, service):
        for n in range(30):
            await service.tell("money", Deposited(account=f"{n % 3}", amount=n), Reversed(account="1", position=n))
        running = asyncio.create_task(service.projector(batch=5).run())
        await service.reader.wait(Balances, {"money": 60}, 10)
        before = await stored(service)
        assert await rebuild(Balances, service.sources, service.projecting) == 60
        assert await service.schemas() == {"rm_balances_v1_1": "retired", "rm_balances_v1_2": "live"}
        assert await stored(service) == before == await folded(service)
        # The running projector follows the swap, and the reader with it.
        done = await service.tell("money", Deposited(account="new", amount=1))
        await service.reader.wait(Balances, {"money": done.last}, 10)
        assert ("new",) in (await stored(service))["account"]
        await rebuild(Balances, service.sources, service.projecting)
        assert await service.schemas() == {"rm_balances_v1_2": "retired", "rm_balances_v1_3": "live"}
        assert await stored(service) == await folded(service)
        await end(running)

    async def test_a_dropped_schema_is_built_again(self, service):
        await service.tell("money", Deposited(account="a", amount=1))
        await until_live(service.projector())
        async with service.projecting.begin() as connection:
            await connection.execute(text("DROP SCHEMA rm_balances_v1_1 CASCADE"))
        await rebuild(Balances, service.sources, service.projecting)
        assert await stored(service) == await folded(service)

    async def test_a_rebuild_that_was_cut_off_leaves_the_live_view_alone(self, service):
        await service.tell("money", *(Deposited(account="a", amount=n) for n in range(9)))
        await until_live(service.projector())
        work = asyncio.create_task(rebuild(Balances, service.sources, service.projecting))
        while "building" not in (await service.schemas()).values():  # noqa: ASYNC110 the database has no event
            await asyncio.sleep(0)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await to_the_end(service.projector())
        assert await stored(service) == await folded(service)
        await rebuild(Balances, service.sources, service.projecting)
        assert sorted((await service.schemas()).values()) == ["live", "retired"]

    async def test_a_new_version_is_built_beside_and_the_old_code_goes_on(self, service):
        class Second(Balances):
            version = 2

        await service.tell("money", Deposited(account="a", amount=1))
        old, new = service.projector(), service.projector(Second)
        await until_live(old)
        with pytest.raises(ViewMissing):
            await service.reader.rows(Second, select(Balances.account))
        await until_live(new)
        assert await service.schemas() == {"rm_balances_v1_1": "retired", "rm_balances_v2_1": "live"}
        await service.tell("money", Deposited(account="a", amount=1))
        await to_the_end(old)
        await to_the_end(new)
        assert await stored(service) == await stored(service, Second) == await folded(service)

    async def test_changed_tables_are_built_anew_under_the_same_version(self, service):
        class Fewer(Balances):
            sources = {"money": Balances.sources["money"]}

        await service.tell("money", Deposited(account="a", amount=1))
        await until_live(service.projector())
        await until_live(service.projector(Fewer))
        assert await service.schemas() == {"rm_balances_v1_1": "retired", "rm_balances_v1_2": "live"}
        assert (await stored(service, Fewer))["account"] == (await folded(service))["account"]

    async def test_a_rebuild_without_an_owner_is_refused(self, service):
        class Away:
            ledger, known = "names", 0

            async def read(self, after, limit, *, sure=False):
                raise Unavailable

            async def head(self):
                raise Unavailable

            def taken(self, reader, position):
                pass

        await until_live(service.projector())
        service.sources["names"] = Away()
        with pytest.raises(Unavailable):
            await rebuild(Balances, service.sources, service.projecting)
        assert (await service.schemas())["rm_balances_v1_1"] == "live"
