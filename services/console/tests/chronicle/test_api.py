"""The chronicle searched, and one fact whole with its proof."""

import re

import pytest
from console_history import MODEL

from letopis.console.chronicle import views


@pytest.fixture
async def approved(records):
    return next(one for one in records if one.type == "registry.promotion.approved")


async def places(client, **asked):
    answer = await client.get("/chronicle", params=asked)
    assert answer.status_code == 200, answer.text
    return re.findall(r'<span class="mono">([a-z]+/\d+)</span>', answer.text)


class TestSearch:
    async def test_shows_the_facts_of_one_ledger_newest_first(self, browser):
        assert await places(browser("anna"), ledger="access") == ["access/2", "access/1"]

    async def test_finds_names_people_objects_and_ids(self, browser, approved):
        person = browser("anna")
        assert await places(person, text="use_case_assigned") == ["registry/9"]
        assert "monitoring/1" in await places(person, text="VERA")
        assert f"registry/{approved.position}" in await places(person, text=str(approved.event_id))
        assert await places(person, text=f"model:{MODEL}", ledger="registry") == ["registry/9", "registry/8"]

    async def test_takes_no_signs_for_patterns(self, browser):
        assert await places(browser("anna"), text="%") == []
        assert await places(browser("anna"), text="no such thing") == []

    async def test_pages_go_through_all_facts_once(self, browser, records, app):
        reader, found, before = app.state.resources.views, [], ""
        while page := await views.facts(reader, views.Wanted(before=before), 7):
            found += [(row["ledger"], row["position"]) for row in page]
            before = views.mark(page[-1])
        assert len(found) == len(set(found)) == sum(one.ledger != "decisions" for one in records)

    @pytest.mark.parametrize("before", ["x", "2026 registry -1", "a b c d", "2026 registry 1e9"])
    async def test_a_false_mark_begins_at_the_beginning(self, browser, before):
        assert await places(browser("anna"), ledger="access", before=before) == ["access/2", "access/1"]

    async def test_tells_how_much_is_sealed(self, browser):
        answer = await browser("anna").get("/chronicle")
        assert "http://audit.test/log/decisions/checkpoint" in answer.text
        assert "decisions 2" in answer.text


class TestFact:
    async def test_shows_its_beginning_to_everybody(self, browser, approved, neighbours):
        asked = len(neighbours.requests)
        answer = await browser("anna").get(f"/facts/{approved.event_id}")
        assert answer.status_code == 200
        assert f"registry/{approved.position}" in answer.text
        assert len(neighbours.requests) == asked

    async def test_is_shown_whole_with_its_proof_by_audit(self, browser, approved):
        answer = await browser("irina").get(f"/facts/{approved.event_id}/whole")
        assert answer.status_code == 200
        assert "registry.version.register" in answer.text
        assert re.search(r"verified</span> leaf \d+ of the signed tree", answer.text)

    async def test_is_asked_for_with_a_purpose(self, browser, approved):
        answer = await browser("irina", purpose="").get(f"/facts/{approved.event_id}/whole")
        assert answer.headers["location"].startswith("/purpose?next=%2Ffacts%2F")
