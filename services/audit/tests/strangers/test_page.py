"""verify.html in a real Chromium that is told to be offline: what holds verifies, what was changed fails."""

import json

import pytest

from letopis.audit.evidence.page import verify_html

pytestmark = pytest.mark.browser


@pytest.fixture
async def tab(chromium, tmp_path):
    """The page as a file, in a browser without a network; at the end it must have asked nobody."""
    path = tmp_path / "verify.html"
    path.write_bytes(verify_html())
    context = await chromium.new_context(offline=True)
    page, asked = await context.new_page(), []
    page.on("request", lambda one: asked.append(one.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    await page.goto(path.as_uri())
    yield page
    assert asked == [path.as_uri()]
    await context.close()


async def verdict(tab, proof, key="", kept=""):
    await tab.fill("#proof", proof if isinstance(proof, str) else json.dumps(proof))
    await tab.fill("#key", key)
    await tab.fill("#kept", kept)
    await tab.click("#check")
    return await tab.text_content("#verdict")


@pytest.fixture(scope="module")
def stock(stocking, kit):
    async def act(chronicle, _):
        await chronicle.seal("decisions", kit.decisions(300))

    return stocking(act)


@pytest.fixture
async def proof(chronicle, kit):
    records = kit.decisions(300)
    return (await chronicle.get(f"/v1/evidence/{records[256].event_id}")).json()


class TestPage:
    async def test_verifies_what_the_door_of_evidence_gives(self, tab, proof, tmp_path):
        assert await verdict(tab, proof) == "VERIFIED"
        assert "compare it with the one that was published" in await tab.text_content("#how")
        assert await verdict(tab, {**proof, "key": ""}, proof["key"], proof["checkpoint"]) == "VERIFIED"
        file = tmp_path / "proof.json"
        file.write_text(json.dumps(proof), "utf-8")
        await tab.fill("#proof", "")
        await tab.set_input_files("#file", file)
        await tab.wait_for_function("document.querySelector('#proof').value.length > 100")
        assert await tab.text_content("#verdict") == "VERIFIED"

    async def test_refuses_every_change(self, tab, proof, chronicle):
        record = proof["record"]
        other = chronicle.resources.log.signer("registry").verifier().text()
        lines = proof["checkpoint"].split("\n")
        smaller = "\n".join([lines[0], "299", *lines[2:]])
        forged = proof["key"][:-4] + ("AAA=" if not proof["key"].endswith("AAA=") else "BBA=")
        changed = [
            {**proof, "record": {**record, "data": record["data"].replace('"score":', '"score": ')}},
            {**proof, "record": {**record, "salt": "00" * 16}},
            {**proof, "record": {**record, "position": "256"}},
            {**proof, "record": {**record, "more": ""}},
            {**proof, "record": {**record, "meta": "{}"}},
            {**proof, "hashes": proof["hashes"][:-1]},
            {**proof, "hashes": [*proof["hashes"], "00" * 32]},
            {**proof, "hashes": ["00" * 32, *proof["hashes"][1:]]},
            {**proof, "checkpoint": smaller},
            {**proof, "key": other},
            {**proof, "key": forged},
            {**proof, "key": ""},
            {},
            "no json",
        ]
        for one in changed:
            told = await verdict(tab, one)
            assert told.startswith("FAILED: "), one
        forked = await verdict(tab, proof, "", chronicle.resources.log.note("decisions").replace("\n300\n", "\n299\n"))
        assert forked.startswith("FAILED: ")

    async def test_is_accessible_and_shows_the_fact(self, tab, proof):
        from pathlib import Path

        import axe_playwright_python

        await verdict(tab, proof)
        assert "decisions.decision.made, decisions/257" in await tab.text_content("#how")
        axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
        await tab.evaluate(axe)
        found = await tab.evaluate("axe.run(document)")
        assert [one["id"] for one in found["violations"]] == []
