"""The copies on a real PostgreSQL: what is in them stays, for every role."""

from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from letopis.common.errors import Conflict, LedgerHole


class TestCopy:
    async def test_is_read_back_as_it_was(self, copies, kit):
        records = kit.decisions(5)
        await copies.append("decisions", records)
        assert await copies.read("decisions", 0, 100) == records
        assert await copies.read("decisions", 2, 2) == records[2:4]
        assert await copies.head("decisions") == 5
        assert await copies.head("registry") == 0
        assert await copies.find(records[3].event_id) == records[3]
        assert await copies.find(UUID(int=1)) is None

    async def test_takes_a_position_once(self, copies, kit):
        records = kit.decisions(5)
        await copies.append("decisions", records)
        with pytest.raises(Conflict):
            await copies.append("decisions", [replace(records[4], data=b"{}")])
        assert await copies.read("decisions", 4, 1) == records[4:]

    async def test_with_a_hole_is_not_read(self, copies, kit):
        records = kit.decisions(5)
        await copies.append("decisions", [*records[:2], *records[3:]])
        with pytest.raises(LedgerHole):
            await copies.read("decisions", 0, 100)
        assert await copies.count("decisions", 5) == 4

    async def test_is_searched_by_type(self, copies, kit):
        await copies.append("registry", kit.registry())
        found = await copies.of_types("registry", {"registry.version.registered"}, 3)
        assert [one.position for one in found] == [2]
        assert await copies.of_types("registry", {"registry.version.registered"}, 1) == []


class TestPartitions:
    """Row: a partition is there long before the first copy that needs it; what it keeps is kept as well."""

    SIZE = 1 << 24

    async def test_are_made_ahead_of_what_is_copied(self, copies, kit, audit_database):
        first, second = kit.decisions(2)
        assert await copies.open_ahead(["decisions", "registry", "strange"]) == []
        await copies.append("decisions", [replace(first, position=self.SIZE + 1)])
        assert await copies.open_ahead(["decisions", "registry"]) == [("decisions", 2)]
        assert await copies.open_ahead(["decisions"]) == []
        last = replace(second, position=2 * self.SIZE + 1)
        await copies.append("decisions", [last])
        assert await copies.read("decisions", 2 * self.SIZE, 1) == [last]
        assert await copies.find(last.event_id) == last
        with (
            psycopg.connect(audit_database.superuser_url) as connection,
            pytest.raises(psycopg.Error, match="never changed"),
        ):
            connection.execute("DELETE FROM copy.record_decisions_p2")


class TestRoles:
    """Row: the database refuses UPDATE, DELETE and TRUNCATE to every role we use."""

    STATEMENTS = ("UPDATE copy.record SET data = ''", "DELETE FROM copy.record", "TRUNCATE copy.record")

    @pytest.mark.parametrize("statement", STATEMENTS)
    async def test_of_the_application_may_not_change(self, copies, kit, audit_database, statement):
        await copies.append("decisions", kit.decisions(2))
        with psycopg.connect(audit_database.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)

    @pytest.mark.parametrize("statement", STATEMENTS)
    async def test_of_the_owner_and_the_superuser_meet_the_trigger(self, copies, kit, audit_database, statement):
        await copies.append("decisions", kit.decisions(2))
        for url in (audit_database.owner_url, audit_database.superuser_url):
            for table in ("copy.record", "copy.record_decisions", "copy.record_decisions_p0"):
                with psycopg.connect(url) as connection:
                    if url == audit_database.superuser_url:
                        connection.execute("SET session_replication_role = replica")
                    with pytest.raises(psycopg.Error, match="copies of facts are never changed"):
                        connection.execute(statement.replace("copy.record", table))
