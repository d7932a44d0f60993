"""Exporting the review over HTTP: a fact with the document's hash."""

import json
from hashlib import sha256


class TestExport:
    async def test_is_recorded_with_its_hash(self, staffed):
        answer = await staffed.post("/v1/access-reviews", "irina")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert {row["person"] for row in told["rows"]} == {"olga", "anna", "boris", "vera", "irina"}
        position = int(answer.headers["Letopis-Position"].partition("/")[2])
        (fact,) = await staffed.resources.store.read("registry", position - 1, 1)
        assert fact.type == "registry.access_review.exported"
        assert json.loads(fact.data)["sha256"] == sha256(answer.content).hexdigest()

    async def test_waits_for_what_the_reader_has_seen(self, staffed):
        head = await staffed.resources.store.head("registry")
        headers = {"Authorization": "Bearer irina", "Min-Position": f"registry/{head}"}
        answer = await staffed.client.post("/v1/access-reviews", headers=headers)
        assert answer.json()["as_of"]["registry"] >= head

    async def test_is_not_for_everybody(self, staffed):
        assert (await staffed.post("/v1/access-reviews", "anna")).status_code == 403
