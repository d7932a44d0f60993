"""The page as people use it, by clicking in a real browser, on the whole stack after the journey."""

import json

import pytest
from e2e.journey.world import World

from letopis.common.envelope import record_from_json
from letopis.common.leaf import leaf_hash
from letopis.console.proof.checking import check_inclusion, signed_head

pytestmark = pytest.mark.browser

MODEL = "console-check"


@pytest.fixture
async def tab(chromium, world: World):
    """A tab that sees everything the journey has written; nothing may be asked of anybody outside this machine."""
    seen = ", ".join(f"{ledger}/{position}" for ledger, position in world.positions.items())
    context = await chromium.new_context(extra_http_headers={"Min-Position": seen})
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    await context.close()
    own = (world.urls["console"], world.urls["issuer"])
    assert [url for url in asked if not url.startswith(own)] == []


async def log_in(tab, world, name, path="/"):
    """From a page, over the identity provider, back to that page."""
    await tab.goto(world.urls["console"] + path)
    await tab.get_by_role("button", name=name).click()
    await tab.wait_for_url(world.urls["console"] + path)


async def log_out(tab):
    await tab.get_by_role("button", name="Log out").click()
    await tab.get_by_role("heading", name="You are logged out").wait_for()


async def state(tab, purpose):
    await tab.get_by_role("heading", name="Why do you look?").wait_for()
    await tab.get_by_label(purpose).check()
    await tab.get_by_role("button", name="Go on").click()


@pytest.fixture(scope="module")
def promotion(world, story):
    """A promotion of another model that waits for a signature."""
    anna = world["anna"]
    anna.post("registry", "/v1/models", {"model_id": MODEL, "name": "Signed by clicking", "owner": "boris"})
    use_case = {
        "use_case_id": "console-limits",
        "name": "Limits",
        "goal": "Try the page",
        "owner": "boris",
        "decision_domain": "operations",
        "customer_reach": "internal",
        "materiality": "low",
    }
    anna.post("registry", "/v1/use-cases", use_case)
    world["vera"].post("registry", "/v1/use-cases/console-limits/approvals", {"comment": "agreed"})
    anna.post("registry", f"/v1/models/{MODEL}/use-case", {"use_case_id": "console-limits"})
    manifest = anna.get("registry", f"/v1/versions/{story.versions[0]}")["manifest"] | {"model": MODEL}
    made = anna.post("registry", "/v1/versions", {"model_id": MODEL, "manifest": manifest})
    version_id = made["facts"][0]["data"]["version_id"]
    quality = {"kind": "out_of_time_quality", "outcome": "passed", "summary": "Gini 0.6", "numbers": {"gini": 0.6}}
    anna.post("registry", f"/v1/versions/{version_id}/evidence", quality)
    asked = anna.post("registry", "/v1/promotions", {"version_id": version_id, "comment": "please sign"})
    return asked["facts"][0]["data"]


class TestSigning:
    async def test_the_author_is_refused_and_a_colleague_signs(self, tab, world, promotion):
        """B16: four eyes and the person's own key, by clicking."""
        path = f"/promotions/{promotion['promotion_id']}"
        await log_in(tab, world, "Anna", path)
        await tab.get_by_role("button", name="Approve as anna").click()
        await tab.get_by_role("status").filter(has_text="four_eyes.self_approval").wait_for()
        await log_out(tab)

        await log_in(tab, world, "Boris")
        await tab.get_by_role("link", name="promotions wait for signatures").click()
        await tab.get_by_role("link", name=f"{promotion['version_id']} to production").click()
        assert await tab.get_by_text(f"sha256:{promotion['version_digest']}").count() == 1
        await tab.get_by_label("Comment").fill("read and agreed")
        async with tab.expect_navigation():
            await tab.get_by_role("button", name="Approve as boris").click()
        row = tab.get_by_role("row").filter(has_text="boris")
        await row.filter(has_text="approves").filter(has_text="read and agreed").wait_for()
        await tab.goto(f"{world.urls['console']}/models/{MODEL}")
        await (
            tab.get_by_role("row").filter(has_text=promotion["version_id"]).filter(has_text="in production").wait_for()
        )
        approved = world["irina"].get("registry", f"/v1/promotions/{promotion['promotion_id']}")
        assert [one["person"] for one in approved["approvals"]] == ["boris"]


class TestDecision:
    async def test_the_link_of_the_demo_opens_on_a_proved_refusal(self, tab, world, story):
        """C03: one refused client: score, reasons, who approved the model, and a proof that the browser checks."""
        path = f"/decisions/{story.refused_decision}"
        await tab.goto(world.urls["console"] + path)
        await tab.get_by_role("button", name="Rita").click()
        await state(tab, "Supervision of the bank")
        await tab.wait_for_url(world.urls["console"] + path)
        await tab.get_by_role("status").filter(has_text="Checked in this browser too").wait_for()
        assert await tab.get_by_role("region", name="Reasons").get_by_role("listitem").count() == 3
        await tab.get_by_role("link", name="Who approved").click()
        assert await tab.get_by_role("row").filter(has_text="boris").filter(has_text="approves").count() >= 1
        async with tab.expect_download() as download:
            await tab.get_by_role("link", name="Download proof").click()
        proof = json.loads((await (await download.value).path()).read_text("utf-8"))
        record = record_from_json(proof["record"])
        head = signed_head(proof["checkpoint"], proof["key"])
        assert str(record.event_id) == story.refused_decision
        check_inclusion(leaf_hash(record), record.position - 1, head, [bytes.fromhex(one) for one in proof["hashes"]])

    async def test_a_contractor_is_not_shown_decisions(self, tab, world, story):
        await log_in(tab, world, "Oleg")
        await tab.goto(f"{world.urls['console']}/decisions/{story.refused_decision}")
        await tab.get_by_text("role.not_granted").wait_for()


class TestChronicle:
    async def test_the_signature_is_found_and_proved(self, tab, world, story):
        await log_in(tab, world, "Irina", "/chronicle")
        await tab.get_by_label("Text").fill("promotion.approved")
        await tab.get_by_role("button", name="Search").click()
        await tab.get_by_role("row").filter(has_text="boris").last.get_by_role("link").click()
        await tab.get_by_role("link", name="Whole, with its circumstances and proof").click()
        await state(tab, "Internal audit")
        await tab.get_by_role("status").filter(has_text="Checked in this browser too").wait_for()
        assert await tab.get_by_text('"signature"').count() == 1
