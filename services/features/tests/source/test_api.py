"""Onboarding of a source over HTTP."""

from hashlib import sha256
from io import BytesIO

import pyarrow.parquet as pq
from features_shop import people


async def test_recognisers_propose_and_an_officer_accepts(shop):
    await shop.done("/v1/sources", "oleg", {"source_id": "people", "name": "clients", "zone": "etl_copy"})
    shop.write("people.parquet", people(60))
    await shop.done("/v1/sources/people/extracts", "oleg", {"files": ["people.parquet"], "job": "nightly"})
    page = (await shop.get("/v1/sources/people", "oleg")).json()
    assert {one["column_name"]: (one["cls"], one["proposed_kind"]) for one in page["columns"]} == {
        "account_id": ("restricted", ""),
        "full_name": ("restricted", "full_name"),
        "email": ("restricted", "email"),
        "phone": ("restricted", "phone"),
        "born": ("restricted", "birth_date"),
        "mystery": ("restricted", ""),
    }
    body = {"accept_proposals": True, "classes": {"mystery": {"cls": "confidential"}}}
    refused = await shop.post("/v1/sources/people/classification", "oleg", body)
    assert refused.status_code == 403
    await shop.done("/v1/sources/people/classification", "pavel", body)
    page = (await shop.get("/v1/sources/people", "oleg")).json()
    assert {one["column_name"]: (one["cls"], one["kind"]) for one in page["columns"]} == {
        "account_id": ("internal", ""),
        "full_name": ("personal", "full_name"),
        "email": ("personal", "email"),
        "phone": ("personal", "phone"),
        "born": ("personal", "birth_date"),
        "mystery": ("confidential", ""),
    }
    assert (await shop.get("/v1/sources/nothing", "oleg")).status_code == 404
    assert [one["source_id"] for one in (await shop.get("/v1/sources", "oleg")).json()] == ["people"]


async def test_a_file_outside_the_root_is_no_extract(shop):
    await shop.done("/v1/sources", "oleg", {"source_id": "people", "name": "clients", "zone": "etl_copy"})
    answer = await shop.post("/v1/sources/people/extracts", "oleg", {"files": ["../../etc/passwd"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "source.file_unusable")


async def test_an_uploaded_file_becomes_an_extract_and_never_another(shop):
    sink = BytesIO()
    pq.write_table(people(), sink)
    await shop.done("/v1/sources", "oleg", {"source_id": "people", "name": "clients", "zone": "etl_copy"})
    path = "/v1/sources/people/files/day-1.parquet"
    assert (await shop.ask("PUT", path, "anna", content=sink.getvalue())).status_code == 403
    stored = await shop.ask("PUT", path, "oleg", content=sink.getvalue())
    assert stored.json() == {
        "path": "people/day-1.parquet",
        "sha256": sha256(sink.getvalue()).hexdigest(),
        "bytes": len(sink.getvalue()),
    }
    receipt = await shop.done("/v1/sources/people/extracts", "oleg", {"files": ["people/day-1.parquet"]})
    assert receipt["facts"][0]["data"]["files"][0]["sha256"] == stored.json()["sha256"]
    assert (await shop.ask("PUT", path, "oleg", content=b"other")).status_code == 422
    assert (await shop.ask("PUT", "/v1/sources/people/files/..%2Fx.parquet", "oleg", content=b"x")).status_code in {
        404,
        422,
    }
