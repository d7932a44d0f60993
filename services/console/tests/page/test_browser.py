"""The pages in a real Chromium: signing, proving, accessibility, and nothing asked of anybody outside."""

import asyncio
import json
import socket
from base64 import b64decode
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from console_history import DIGESTS, FIRST, MODEL

from letopis.common.identity.approval import ApprovalStatement, key_id, verify
from letopis.console.app import create_app

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    f"/models/{MODEL}",
    f"/versions/{FIRST}",
    "/promotions",
    "/promotions/p4",
    "/decisions",
    "/chronicle",
    "/purpose",
]
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}


@pytest.fixture(scope="module")
async def address(app, settings):
    """Serves the application on loopback, under the address it believes to have."""
    listening = socket.create_server(("127.0.0.1", 0))
    own = f"http://127.0.0.1:{listening.getsockname()[1]}"

    @asynccontextmanager
    async def resources():
        yield app.state.resources

    served = create_app(settings.model_copy(update={"console_url": own}), resources=resources)
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, access_log=False, ws="none"))
    # Who connects before the server is up waits in the socket's queue.
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield own
    server.should_exit = True
    await running
    listening.close()


@pytest.fixture
async def open_as(chromium, address, app, browser, request):
    """Opens a tab as somebody; at the end nothing may have been complained of or asked from elsewhere."""
    trouble, contexts = [], []

    async def open_(login, **context):
        jar = browser(login).cookies.jar
        opened = await chromium.new_context(**context)
        contexts.append(opened)
        await opened.add_cookies([{"name": one.name, "value": one.value, "url": address} for one in jar])
        tab = await opened.new_page()
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("console", lambda told: trouble.append(told.text) if "Content Security Policy" in told.text else None)
        tab.on("request", lambda asked: None if asked.url.startswith(address) else trouble.append(asked.url))
        return tab

    yield open_
    for one in contexts:
        await one.close()
    assert trouble == []


class TestAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 400])
    async def test_axe_finds_nothing_on_any_page(self, open_as, address, store, scheme, width):
        import axe_playwright_python

        axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
        decision = (await store.read("decisions", 0, 1))[0].event_id
        fact = (await store.read("registry", 0, 1))[0].event_id
        tab = await open_as("irina", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
        await tab.add_init_script(axe)
        for path in (*PAGES, f"/decisions/{decision}", f"/facts/{fact}/whole", "/models/none"):
            await tab.goto(address + path)
            found = await tab.evaluate("options => axe.run(document, options)", AXE)
            told = [f"{path} {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
            assert told == []
            wide = await tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert wide, f"{path} scrolls sideways at {width}"

    async def test_the_keyboard_reaches_the_content_first(self, open_as, address):
        tab = await open_as("irina")
        await tab.goto(address)
        await tab.keyboard.press("Tab")
        assert await tab.evaluate("document.activeElement.textContent") == "To the content"


class TestSigning:
    @pytest.fixture
    def registry(self, neighbours):
        """Takes keys and approvals; what was posted is kept."""
        for path in ("/v1/principals/boris/keys", "/v1/promotions/p4/approvals", "/v1/promotions/p4/rejections"):
            neighbours.answers["POST", "registry", path] = (201, {}, {})
        yield lambda path: [
            json.loads(one.content) for one in neighbours.requests if one.method == "POST" and one.url.path == path
        ]
        neighbours.answers.clear()
        neighbours.requests.clear()

    async def sign(self, tab, address, button):
        await tab.goto(f"{address}/promotions/p4")
        await tab.get_by_label("Comment").fill("read")
        async with tab.expect_navigation():
            await tab.get_by_role("button", name=button).click()

    @pytest.mark.parametrize(("button", "verdict"), [("Approve as boris", "approve"), ("Reject", "reject")])
    async def test_is_what_the_registry_verifies(self, open_as, address, registry, button, verdict):
        tab = await open_as("boris")
        await self.sign(tab, address, button)
        (enrolled,) = registry("/v1/principals/boris/keys")
        path = {"approve": "/v1/promotions/p4/approvals", "reject": "/v1/promotions/p4/rejections"}[verdict]
        (sent,) = registry(path)
        statement = ApprovalStatement(promotion="p4", verdict=verdict, person="boris", key_id=sent["key_id"], **DIGESTS)
        assert verify(statement, sent["signature"], enrolled["public_key"])
        assert sent["comment"] == "read"
        assert {name: sent[name] for name in DIGESTS} == DIGESTS

    async def test_a_key_that_the_registry_does_not_know_is_enrolled_anew(self, open_as, address, registry):
        """As when another installation stood at this address before: its key is not taken for one of ours."""
        tab = await open_as("boris")
        await self.sign(tab, address, "Approve as boris")
        await self.sign(tab, address, "Approve as boris")
        first, second = registry("/v1/principals/boris/keys")
        assert first["public_key"] != second["public_key"]

    async def test_a_known_key_is_used_again_and_cannot_be_taken_out(
        self, open_as, address, registry, app, monkeypatch
    ):
        tab = await open_as("boris")
        await self.sign(tab, address, "Approve as boris")
        (enrolled,) = registry("/v1/principals/boris/keys")
        known = key_id(b64decode(enrolled["public_key"]))
        directory = app.state.resources.directory
        find = directory.find

        async def found(login):
            principal = await find(login)
            principal.keys[known] = enrolled["public_key"]
            return principal

        monkeypatch.setattr(type(directory), "find", lambda self, login: found(login))
        await self.sign(tab, address, "Approve as boris")
        assert len(registry("/v1/principals/boris/keys")) == 1
        assert [one["key_id"] for one in registry("/v1/promotions/p4/approvals")] == [known, known]
        extractable = await tab.evaluate("stored('boris').then((kept) => kept.key.extractable)")
        assert extractable is False

    async def test_a_refusal_is_told_with_its_rule(self, open_as, address, registry, neighbours):
        reasons = [{"rule": "four_eyes.self_approval", "message": "not your own", "remedy": "ask somebody else"}]
        problem = {"code": "forbidden", "title": "Policy does not allow this", "detail": "no", "reasons": reasons}
        neighbours.answers["POST", "registry", "/v1/promotions/p4/approvals"] = (403, problem, {})
        tab = await open_as("boris")
        await tab.goto(f"{address}/promotions/p4")
        await tab.get_by_role("button", name="Approve as boris").click()
        said = tab.get_by_role("status")
        await said.filter(has_text="four_eyes.self_approval: not your own; ask somebody else").wait_for()
        assert await tab.get_by_role("button", name="Approve as boris").is_enabled()


class TestProof:
    async def test_is_checked_in_the_browser_too(self, open_as, address, store):
        decision = (await store.read("decisions", 0, 1))[0].event_id
        tab = await open_as("boris")
        await tab.goto(f"{address}/decisions/{decision}")
        await tab.get_by_role("status").filter(has_text="Checked in this browser too").wait_for()

    @pytest.mark.parametrize(
        ("part", "told"),
        [
            ("record", "is not the one of the leaf"),
            ("leaf", "is not the one of the leaf"),
            ("hashes", "does not lead to the signed root"),
            ("checkpoint", "is not signed by the log"),
            ("key", "is not signed by the log"),
        ],
    )
    async def test_fails_in_the_browser_when_any_part_is_changed(self, open_as, address, store, part, told):
        decision = (await store.read("decisions", 0, 1))[0].event_id
        tab = await open_as("boris")

        async def changed(route):
            answer = await route.fetch()
            page = await answer.text()
            begin = page.index('id="proof">') + len('id="proof">')
            end = page.index("</script>", begin)
            proof = json.loads(page[begin:end])
            match part:
                case "record":
                    proof["record"]["data"] = proof["record"]["data"].replace("0.8312", "0.1312")
                case "hashes":
                    proof["hashes"] = ["0" * 64, *proof["hashes"][1:]]
                case "checkpoint":
                    proof["checkpoint"] = proof["checkpoint"].replace("\n2\n", "\n3\n")
                case "key":
                    proof["key"] = proof["key"][:-4] + "AAAA"
                case _:
                    proof[part] = "0" * 64
            await route.fulfill(response=answer, body=page[:begin] + json.dumps(proof) + page[end:])

        await tab.route("**/decisions/*", changed)
        await tab.goto(f"{address}/decisions/{decision}")
        await tab.locator("#proved").filter(has_text=told).wait_for()
        assert await tab.locator("#proved.bad").count() == 1

    async def test_the_buttons_lead_to_their_answers(self, open_as, address, store):
        decision = (await store.read("decisions", 0, 1))[0].event_id
        tab = await open_as("boris")
        await tab.goto(f"{address}/decisions/{decision}")
        for name, place in (("Who approved", "#approved"), ("What did we know", "#known")):
            await tab.get_by_role("link", name=name).click()
            assert tab.url.endswith(place)
        async with tab.expect_download() as download:
            await tab.get_by_role("link", name="Download proof").click()
        assert (await download.value).suggested_filename == f"letopis-proof-{decision}.json"
