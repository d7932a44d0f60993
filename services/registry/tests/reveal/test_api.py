"""Names of principals: sealed for everybody, opened on record for who may see them."""

import json

from letopis.common.sealing import is_sealed

PERSON = {"login": "maria", "person": "maria", "name": "Мария Примета", "roles": ["data_scientist"]}


async def reveal(registry, login, by):
    headers = {"Authorization": f"Bearer {by}", "Letopis-Purpose": "access_review"}
    answer = await registry.client.post(f"/v1/principals/{login}/reveals", headers=headers)
    await registry.settle()
    return answer


class TestReveal:
    async def test_a_name_is_sealed_in_facts_views_and_receipts_and_shown_on_record(self, staffed):
        registered = await staffed.post("/v1/principals", "olga", PERSON)
        assert registered.status_code == 201
        listed = (await staffed.get("/v1/principals", "olga")).json()
        (maria,) = [one for one in listed if one["login"] == "maria"]
        records = await staffed.resources.store.load("registry", "principal:maria")
        for told in (registered.text, json.dumps(listed, ensure_ascii=False), records[0].data.decode()):
            assert "Примета" not in told
        assert is_sealed(maria["name"])
        shown = await reveal(staffed, "maria", "olga")
        assert shown.status_code == 201, shown.text
        assert shown.json() == {
            "login": "maria",
            "subject": "person:maria",
            "erased": False,
            "name": "Мария Примета",
        }
        (told,) = await staffed.resources.store.load("registry", "reveal:maria")
        assert (told.type, json.loads(told.data)["by"]) == ("registry.principal.revealed", "olga")

    async def test_without_right_or_purpose_nothing_is_shown(self, staffed):
        await staffed.post("/v1/principals", "olga", PERSON)
        refused = await reveal(staffed, "maria", "maria")
        assert refused.status_code == 403
        assert (await staffed.post("/v1/principals/maria/reveals", "olga")).status_code == 403
        assert (await reveal(staffed, "nobody", "olga")).status_code == 404
