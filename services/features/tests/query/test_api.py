"""Reads through the gateway over real parts (A16, A21, A29, A30, A31)."""

from datetime import UTC, datetime, timedelta

import pytest

from letopis.features.query.events import ReadCompleted, ReadRefused, ReadStarted


async def ask(shop, sql, by="anna", **body):
    purpose = body.pop("purpose", "credit scoring")
    return await shop.post("/v1/queries", by, {"sql": sql} | body, purpose=purpose)


class TestRead:
    async def test_rows_come_with_two_facts_before_them(self, stocked):
        answer = await ask(stocked, "SELECT account_id, bill FROM panel WHERE month = DATE '2005-04-01' ORDER BY 1")
        assert answer.status_code == 200, answer.text
        assert answer.json()["rows"][:2] == [[1, 100.0], [2, 200.0]]
        (_, started), (last, completed) = await stocked.facts("access", "access.read.started", "access.read.completed")
        assert isinstance(started, ReadStarted)
        assert isinstance(completed, ReadCompleted)
        assert (started.person, started.purpose, started.kind) == ("Anna", "credit scoring", "query")
        assert started.planned == started.parsed == {"panel": ("account_id", "bill", "month")}
        assert started.masks == {"panel": {"account_id": "clear", "bill": "clear", "month": "clear"}}
        assert len(started.grants) == 1
        assert len(started.snapshots["panel"]) == 64
        assert (completed.rows, completed.bytes) == (20, len(answer.content))
        assert answer.headers["letopis-position"] == f"access/{last.position}"
        assert answer.headers["letopis-read"] == started.read_id

    async def test_each_read_is_one_read_fact(self, stocked):
        """A21: N offline reads = N access facts."""
        for number in range(5):
            assert (await ask(stocked, f"SELECT count(*) FROM panel WHERE status = {number}")).status_code == 200
        assert len(await stocked.facts("access", "access.read.started")) == 5
        assert len(await stocked.facts("access", "access.read.completed")) == 5

    async def test_a_limit_says_that_there_is_more(self, stocked):
        answer = (await ask(stocked, "SELECT account_id FROM panel", limit=3)).json()
        assert (len(answer["rows"]), answer["complete"]) == (3, False)

    async def test_a_count_needs_no_column(self, stocked):
        assert (await ask(stocked, "SELECT count(*) AS n FROM panel", by="oleg")).json()["rows"] == [[120]]

    async def test_a_broken_query_leaves_a_failed_read(self, stocked):
        answer = await ask(stocked, "SELECT CAST(email AS INTEGER) AS n FROM people")
        assert (answer.status_code, answer.json()["code"]) == (409, "sql.failed")
        assert [fact.code for _, fact in await stocked.facts("access", "access.read.failed")] == ["sql.failed"]


class TestMasks:
    async def test_personal_columns_are_tokens_that_join(self, stocked):
        """A30: masked by default, stable for joins."""
        sql = "SELECT p.email, q.email AS other, p.full_name, p.born FROM people p JOIN people q ON p.email = q.email"
        answer = (await ask(stocked, sql)).json()
        assert len(answer["rows"]) == 20
        assert all(
            row[0] == row[1] and row[0].startswith("tok_") and row[2].startswith("tok_") for row in answer["rows"]
        )
        assert {row[3] for row in answer["rows"]} == set(range(1960, 1980))
        again = (await ask(stocked, "SELECT email FROM people")).json()
        assert {row[0] for row in again["rows"]} == {row[0] for row in answer["rows"]}

    async def test_a_filter_on_clear_text_finds_nothing(self, stocked):
        answer = (await ask(stocked, "SELECT count(*) FROM people WHERE email = 'client1@example.com'")).json()
        assert answer["rows"] == [[0]]

    async def test_unmasking_needs_a_grant_that_says_so(self, stocked):
        sql = "SELECT email FROM people ORDER BY account_id LIMIT 1"
        refused = await ask(stocked, sql, unmask=["people.email"])
        assert refused.status_code == 403
        assert [one["rule"] for one in refused.json()["reasons"]] == ["personal.unmask_not_granted"]
        await stocked.grant("Anna", {"people": ["email"]}, unmask=True, reason="letters to clients")
        assert (await ask(stocked, sql, unmask=["people.email"])).json()["rows"] == [["client0@example.com"]]
        # Masked remains the default, also for whoever may lift the mask.
        assert (await ask(stocked, sql)).json()["rows"][0][0].startswith("tok_")

    async def test_tokens_of_another_purpose_are_others(self, stocked):
        columns = {"people": ["email"]}
        await stocked.grant("Anna", columns, purpose="fraud")
        one = (await ask(stocked, "SELECT email FROM people")).json()["rows"]
        other = (await ask(stocked, "SELECT email FROM people", purpose="fraud")).json()["rows"]
        assert not {row[0] for row in one} & {row[0] for row in other}


class TestDeny:
    async def test_a_personal_column_without_a_grant_is_denied_and_recorded(self, stocked):
        answer = await ask(stocked, "SELECT email FROM people", by="oleg")
        assert answer.status_code == 403
        assert [one["rule"] for one in answer.json()["reasons"]] == ["personal.no_grant"]
        ((record, denial),) = await stocked.facts("access", "access.authorization.denied")
        assert (denial.person, denial.rules) == ("Oleg", ("personal.no_grant",))
        assert record.command_id is None
        assert not await stocked.facts("access", "access.read.started")

    @pytest.mark.parametrize("changed", [{"purpose": "marketing"}, {"grantee": "Irina"}])
    async def test_another_grant_does_not_help(self, stocked, changed):
        """A29: a grant of another project or person is none."""
        await stocked.grant(**({"grantee": "Boris", "columns": {"panel": ["bill"]}} | changed))
        answer = await ask(stocked, "SELECT bill FROM panel", by="boris")
        assert [one["rule"] for one in answer.json()["reasons"]] == ["grant.missing"]

    async def test_an_expired_grant_is_none(self, stocked):
        """A29: expired grant denied."""
        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        id = await stocked.grant("Boris", {"panel": ["bill"]}, not_after=soon)
        assert (await ask(stocked, "SELECT bill FROM panel", by="boris", grants=[id])).status_code == 200
        while datetime.now(UTC).isoformat() <= soon:
            await stocked.settle()
        answer = await ask(stocked, "SELECT bill FROM panel", by="boris", grants=[id])
        assert [one["rule"] for one in answer.json()["reasons"]] == ["grant.missing"]

    async def test_a_revoked_grant_is_none_at_once(self, stocked):
        id = await stocked.grant("Boris", {"panel": ["bill"]})
        assert (await ask(stocked, "SELECT bill FROM panel", by="boris")).status_code == 200
        await stocked.done(f"/v1/grants/{id}/revocation", "pavel", {"reason": "project over"})
        assert (await ask(stocked, "SELECT bill FROM panel", by="boris", grants=[id])).status_code == 403

    async def test_an_unclassified_column_is_read_by_nobody(self, stocked):
        await stocked.grant("Anna", {"people": ["mystery"]})
        answer = await ask(stocked, "SELECT mystery FROM people")
        assert [one["rule"] for one in answer.json()["reasons"]] == ["column.unclassified"]

    async def test_production_is_never_read(self, stocked):
        """A16: denied with a reason code, recorded."""
        body = {"source_id": "core_bank", "name": "core banking", "zone": "production"}
        await stocked.done("/v1/sources", "oleg", body)
        refused = await stocked.post("/v1/sources/core_bank/extracts", "oleg", {"files": ["panel.parquet"]})
        assert [one["rule"] for one in refused.json()["reasons"]] == ["source.production_zone"]
        answer = await ask(stocked, "SELECT * FROM core_bank")
        assert [one["rule"] for one in answer.json()["reasons"]] == ["source.production_zone"]
        ((_, denial),) = await stocked.facts("access", "access.authorization.denied")
        assert denial.rules == ("source.production_zone",)

    async def test_a_source_without_an_extract_record_is_not_read(self, stocked):
        """A17: no extract record, no use."""
        await stocked.done("/v1/sources", "oleg", {"source_id": "empty", "name": "e", "zone": "test"})
        answer = await ask(stocked, "SELECT * FROM empty")
        assert (answer.status_code, answer.json()["code"]) == (409, "source.extract_missing")

    @pytest.mark.parametrize("sql", ["DROP TABLE panel", "INSERT INTO panel SELECT * FROM panel", "SELECT 1; SELECT 2"])
    async def test_writing_is_refused_and_recorded(self, stocked, sql):
        """A31: INSERT, UPDATE, DDL denied and on the record."""
        answer = await ask(stocked, sql)
        assert (answer.status_code, answer.json()["code"]) == (403, "sql.read_only")
        ((_, refused),) = await stocked.facts("access", "access.read.refused")
        assert isinstance(refused, ReadRefused)
        assert (refused.person, refused.code) == ("Anna", "sql.read_only")

    async def test_a_stranger_gets_nothing_and_leaves_no_fact(self, stocked):
        """A21: a bypass token is rejected."""
        before = len(await stocked.facts("access"))
        assert (await ask(stocked, "SELECT count(*) FROM panel", by="mallory")).status_code == 401
        assert len(await stocked.facts("access")) == before

    async def test_a_changed_file_is_not_read(self, stocked):
        path = stocked.root / "panel.parquet"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        answer = await ask(stocked, "SELECT count(*) FROM panel")
        assert answer.json()["code"] == "source.file_changed"


class TestLog:
    async def test_reads_are_listed_by_person(self, stocked):
        await ask(stocked, "SELECT count(*) FROM panel")
        await ask(stocked, "SELECT email FROM people", by="oleg")
        await ask(stocked, "DROP TABLE panel", by="oleg")
        readers = (await stocked.get("/v1/readers", "irina")).json()
        told = {one["person"]: (one["reads"], one["denied"], one["refused"]) for one in readers}
        assert told == {"Anna": (1, 0, 0), "Oleg": (2, 1, 1)}
        reads = (await stocked.get("/v1/reads?outcome=denied", "irina")).json()
        assert [(one["person"], one["code"]) for one in reads] == [("Oleg", "personal.no_grant")]
