"""The signed head of the decisions ledger: only the log's own key counts, and the key first met stays."""

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.inference.decision.checkpoint import SignedHead

ORIGIN = "letopis.test/log/decisions"


class Log:
    """A log's two public addresses, signed by a key that the test may change."""

    def __init__(self):
        self.change()

    def change(self):
        self.signer = Signer(ORIGIN, Ed25519PrivateKey.generate())

    def answer(self, request):
        if request.url.path == "/log/decisions/key":
            return httpx.Response(200, text=self.signer.verifier().text())
        checkpoint = Checkpoint(origin=ORIGIN, size=42, root=bytes(32))
        return httpx.Response(200, text=sign_note(checkpoint.text(), self.signer))


@pytest.fixture
async def log():
    return Log()


@pytest.fixture
async def http(log):
    async with httpx.AsyncClient(transport=httpx.MockTransport(log.answer)) as client:
        yield client


class TestSignedHead:
    async def test_pins_the_key_first_met_and_covers_what_it_signed(self, http, log, tmp_path):
        pinned = tmp_path / "audit_log.key"
        assert await SignedHead(http, "http://audit", None, pinned).size() == 42
        assert pinned.stat().st_mode & 0o777 == 0o600
        log.change()
        assert await SignedHead(http, "http://audit", None, pinned).size() == 0

    async def test_without_a_place_to_pin_no_key_is_believed(self, http):
        assert await SignedHead(http, "http://audit", None).size() == 0

    async def test_nothing_is_covered_while_audit_is_away(self, tmp_path):
        def gone(request):
            raise httpx.ConnectError("gone")

        async with httpx.AsyncClient(transport=httpx.MockTransport(gone)) as client:
            head = SignedHead(client, "http://audit", None, tmp_path / "k")
            assert await head.size() == 0
        assert not (tmp_path / "k").exists()
