"""Training sets over real parts: point in time, the same again, masked, verified, read under policy."""

import asyncio
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

SPINE = "SELECT account_id, month + INTERVAL 1 MONTH AS as_of, label FROM panel WHERE month = DATE '2005-06-01'"


def body(**changed):
    split = {"seed": 7, "test_share": 0.3}
    return {"name": "June", "bundle_id": "credit.1", "spine_sql": SPINE, "split": split} | changed


async def built(shop, by="anna", **changed):
    return await shop.done("/v1/datasets", by, body(**changed))


def manifest_of(receipt):
    return receipt["facts"][0]["data"]


async def rows_of(shop, receipt, by="anna", **options):
    answer = await shop.ask("GET", f"/v1/datasets/{receipt['id']}/data", by, **options)
    assert answer.status_code == 200, answer.text
    return pq.read_table(BytesIO(answer.content)).to_pylist()


def flip(path: Path) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


class TestBuild:
    async def test_rows_are_those_of_the_moment(self, stocked):
        receipt = await built(stocked)
        manifest = manifest_of(receipt)
        assert [(one["name"], one["role"]) for one in manifest["columns"]] == [
            ("account_id", "key"),
            ("as_of", "time"),
            ("label", "label"),
            ("status", "feature"),
            ("bill", "feature"),
            ("mean_bill", "feature"),
            ("split", "split"),
        ]
        rows = await rows_of(stocked, receipt)
        assert len(rows) == manifest["rows"] == 20
        for row in rows:
            account = row["account_id"]
            # The bill of June is known on the first of July; that of July is not.
            assert (row["as_of"], row["bill"]) == (datetime(2005, 7, 1), account * 100 + 2)  # noqa: DTZ001
            assert row["mean_bill"] == pytest.approx(account * 100 + 1)
            assert row["label"] == ((account + 2) % 3 == 0)
        assert {row["split"] for row in rows} == {"train", "test"}

    async def test_the_leak_report_counts_what_was_not_known_yet(self, stocked):
        early = "SELECT account_id, month + INTERVAL 14 DAY AS as_of FROM panel WHERE month = DATE '2005-06-01'"
        receipt = await built(stocked, spine_sql=early)
        assert manifest_of(receipt)["leak"] == [{"view_id": "behaviour.1", "rows": 20, "leaked": 20}]
        assert {row["bill"] for row in await rows_of(stocked, receipt)} == {n * 100 + 1 for n in range(1, 21)}
        told = manifest_of(await built(stocked, spine_sql=early, known_time="event"))
        assert told["dataset_id"] != receipt["id"]

    async def test_the_same_recipe_gives_the_same_id_and_bytes(self, stocked):
        first = await built(stocked)
        again = await built(stocked, name="June again", spine_sql=SPINE.lower().replace("date '", "DATE '"))
        assert again["id"] == first["id"]
        assert [one["type"] for one in again["facts"]] == ["features.dataset.rebuilt"]
        other = await built(stocked, split={"seed": 8, "test_share": 0.3})
        assert other["id"] != first["id"]

    async def test_the_same_key_gives_the_same_answer_and_no_second_read(self, stocked):
        headers = {"Idempotency-Key": "june"}
        one = await stocked.post("/v1/datasets", "anna", body(), headers=headers)
        two = await stocked.post("/v1/datasets", "anna", body(), headers=headers)
        assert (one.status_code, one.content) == (201, two.content)
        assert len(await stocked.facts("access", "access.read.started")) == 1

    async def test_personal_columns_stand_as_tokens_in_the_file(self, stocked):
        spine = (
            "SELECT p.account_id, TIMESTAMP '2005-07-01' AS as_of, q.email, q.born FROM panel p "
            "JOIN people q ON p.account_id = q.account_id WHERE p.month = DATE '2005-06-01'"
        )
        receipt = await built(stocked, spine_sql=spine)
        told = {one["name"]: (one["cls"], one["treatment"]) for one in manifest_of(receipt)["columns"]}
        assert told["email"] == ("personal", "token")
        assert told["born"] == ("personal", "year")
        assert all(row["email"].startswith("tok_") for row in await rows_of(stocked, receipt))
        stored = stocked.resources.objects.get(manifest_of(receipt)["files"][0]["sha256"])
        assert b"example.com" not in stored

    async def test_the_read_is_a_fact_and_the_manifest_names_it(self, stocked):
        receipt = await built(stocked)
        ((_, started),) = await stocked.facts("access", "access.read.started")
        ((_, completed),) = await stocked.facts("access", "access.read.completed")
        manifest = manifest_of(receipt)
        assert (started.kind, started.object_id, started.read_id) == ("dataset", receipt["id"], manifest["read_id"])
        assert started.planned == {"panel": ("account_id", "bill", "label", "month", "status")}
        assert (completed.rows, completed.result_sha256) == (20, manifest["files"][0]["sha256"])

    @pytest.mark.parametrize(
        ("spine", "code"),
        [
            ("SELECT account_id FROM panel", "dataset.spine_wrong"),
            ("SELECT account_id, status AS as_of FROM panel", "dataset.spine_wrong"),
            ("SELECT account_id, CAST(NULL AS DATE) AS as_of FROM panel", "dataset.spine_wrong"),
            ("SELECT account_id, month AS as_of, bill FROM panel", "dataset.names_clash"),
            ("SELECT account_id, month AS as_of FROM panel WHERE bill < 0", "dataset.empty"),
            ("SELECT account_id, month AS as_of FROM nowhere", "source.unknown"),
        ],
    )
    async def test_a_wrong_spine_says_what_is_wrong(self, stocked, spine, code):
        answer = await stocked.post("/v1/datasets", "anna", body(spine_sql=spine))
        assert (answer.status_code, answer.json()["code"]) == (409, code)

    async def test_without_a_grant_nothing_is_built(self, stocked):
        answer = await stocked.post("/v1/datasets", "boris", body())
        assert answer.status_code == 403
        assert not await stocked.facts("access", "access.read.started")


class TestData:
    async def test_is_read_for_its_purpose_only(self, stocked):
        receipt = await built(stocked)
        answer = await stocked.ask("GET", f"/v1/datasets/{receipt['id']}/data", "anna", purpose="marketing")
        assert answer.status_code == 403
        assert "dataset.other_purpose" in [one["rule"] for one in answer.json()["reasons"]]
        started = await stocked.facts("access", "access.read.started")
        await rows_of(stocked, receipt)
        await rows_of(stocked, receipt)
        # A21: each download is a read of its own.
        assert len(await stocked.facts("access", "access.read.started")) == len(started) + 2

    async def test_a_set_that_shows_too_much_by_now_is_not_read(self, stocked):
        receipt = await built(stocked)
        classes = {"classes": {"label": {"cls": "personal"}}, "reason": "found to identify people"}
        await stocked.done("/v1/sources/panel/classification", "pavel", classes)
        answer = await stocked.ask("GET", f"/v1/datasets/{receipt['id']}/data", "anna")
        assert answer.json()["code"] == "dataset.masks_changed"


class TestVerify:
    async def test_names_a_flipped_byte(self, stocked):
        receipt = await built(stocked)
        path = f"/v1/datasets/{receipt['id']}/verify"
        assert (await stocked.done(path, "irina", {}))["facts"][0]["data"]["intact"]
        sha = manifest_of(receipt)["files"][0]["sha256"]
        flip(stocked.resources.objects.path(sha))
        told = (await stocked.done(path, "irina", {}))["facts"][0]["data"]
        assert (told["intact"], told["damaged"]) == (False, [sha])
        seen = (await stocked.get(f"/v1/datasets/{receipt['id']}", "irina")).json()
        assert (seen["intact"], seen["damaged"]) == (False, [sha])
        refused = await stocked.ask("GET", f"/v1/datasets/{receipt['id']}/data", "anna")
        assert refused.status_code == 500

    async def test_an_unknown_set_is_a_refusal(self, stocked):
        assert (await stocked.post("/v1/datasets/nothing/verify", "irina", {})).json()["code"] == "dataset.unknown"


KILLED = """
# The process dies exactly between the fact and the first row: when the gateway opens the files.
from letopis.features.source.lake import Lake
Lake.load = lambda self, files, columns: die()

async def act(shop):
    await shop.post("/v1/queries", "anna", {"sql": "SELECT bill FROM panel"})
"""


class TestKilled:
    async def test_between_fact_and_rows_the_fact_stays(self, stocked, killed):
        """A fact before an effect: SIGKILL when the files are opened leaves the read on record, and no row."""
        await asyncio.to_thread(killed, KILLED)
        kinds = [record.type for record, _ in await stocked.facts("access")]
        assert kinds.count("access.read.started") == 1
        assert "access.read.completed" not in kinds
