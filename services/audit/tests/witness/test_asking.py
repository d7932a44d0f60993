"""The chronicle and its witnesses over HTTP: heads with a quorum are published; without one the old stays."""

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.witness.asking import Asking
from letopis.audit.witness.cosignature import Cosigner
from letopis.audit.witness.policy import parse
from letopis.audit.witness.serving import create_app
from letopis.audit.witness.watching import Witness
from letopis.common.clock import SystemClock
from letopis.common.observability import Metrics

NAMES = ("one", "two", "three")


class Town:
    """Three witnesses, each of which can be away."""

    def __init__(self, chronicle, folder):
        signer = chronicle.resources.log.signers["decisions"]
        self.chronicle, self.away, self.apps, lines = chronicle, set(), {}, []
        for name in NAMES:
            cosigner = Cosigner(f"witness.example/{name}", Ed25519PrivateKey.generate())
            witness = Witness(
                cosigner=cosigner,
                logs={signer.name: signer.verifier()},
                heads=LockStore(folder / f"{name}.sqlite"),
                clock=SystemClock(),
            )
            self.apps[f"http://{name}"] = httpx.ASGITransport(app=create_app(witness))
            lines.append(f"witness {name} {cosigner.verifier().text()} http://{name}")
        self.policy = parse("\n".join([*lines, "group most 2 one two three", "quorum most"]))

    def asking(self):
        http = httpx.AsyncClient(transport=self)
        return Asking(
            log=self.chronicle.resources.log,
            ledgers=["decisions"],
            policy=self.policy,
            http=http,
            metrics=Metrics("test"),
        )

    async def handle_async_request(self, request):
        if request.url.host in self.away:
            raise httpx.ConnectError("away", request=request)
        return await self.apps[f"http://{request.url.host}"].handle_async_request(request)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def aclose(self):
        return None

    async def witnessed(self):
        """How many facts, and who signed, as a stranger reads it."""
        answer = await self.chronicle.client.get("/log/decisions/witnessed")
        if answer.status_code == 404:
            return None
        text, _, tail = answer.text.rpartition("\n\n")
        signed = {
            name
            for name, key in self.policy.witnesses.items()
            for line in tail.splitlines()
            if key.cosigned(line, f"{text}\n") is not None
        }
        return int(text.split("\n")[1]), signed


@pytest.fixture
async def town(chronicle, tmp_path):
    return Town(chronicle, tmp_path)


class TestAsking:
    async def test_publishes_heads_with_a_quorum_and_goes_on_after_a_restart(self, town, kit):
        records = kit.decisions(30)
        await town.chronicle.seal("decisions", records[:10])
        assert await town.asking().step("decisions")
        assert await town.witnessed() == (10, set(NAMES))
        await town.chronicle.seal("decisions", records[10:20])
        town.away = {"two"}
        # A new process does not know what the witnesses signed; they tell.
        asking = town.asking()
        assert await asking.step("decisions")
        assert await town.witnessed() == (20, {"one", "three"})
        await town.chronicle.seal("decisions", records[20:])
        town.away = {"two", "one"}
        assert not await asking.step("decisions")
        assert await town.witnessed() == (20, {"one", "three"})
        town.away = set()
        assert await asking.step("decisions")
        assert await town.witnessed() == (30, set(NAMES))

    async def test_says_nothing_before_anything_is_sealed(self, town):
        assert not await town.asking().step("decisions")
        assert await town.witnessed() is None

    async def test_a_witness_shows_how_far_it_followed(self, town, kit):
        await town.chronicle.seal("decisions", kit.decisions(10))
        await town.asking().step("decisions")
        async with httpx.AsyncClient(transport=town.apps["http://one"]) as client:
            shown = (await client.get("http://one/")).text
        assert town.policy.witnesses["one"].text() in shown
        assert "/decisions 10 " in shown

    async def test_a_body_without_end_is_cut_off(self, town):
        async with httpx.AsyncClient(transport=town.apps["http://one"]) as client:
            answer = await client.post("http://one/add-checkpoint", content=b"x" * 100_000)
        assert answer.status_code == 413
