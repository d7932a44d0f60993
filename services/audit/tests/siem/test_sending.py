"""Security events arrive at a real TLS receiver, keep to the schema, and what does not arrive is noticed."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from ipaddress import ip_address

import jsonschema
import pytest
from audit_story import half_year
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from letopis.audit.log.copying import Copier
from letopis.audit.siem.ecs import event
from letopis.audit.siem.listening import Listening
from letopis.audit.siem.sending import Kept, Receiver, Sending
from letopis.audit.siem.syslog import Reached, Receiving, framed, mark, messages, unframed
from letopis.common.clock import SystemClock
from letopis.common.errors import Unavailable
from letopis.common.observability import Metrics
from letopis.common.running import end

STORY = half_year()
ECS = json.loads(files("letopis.audit.siem").joinpath("ecs.schema.json").read_bytes())


def told(ledger):
    return [one for one, _ in messages(STORY.records[ledger], Reached(), "bank") if one is not None]


class TestEvents:
    def test_keep_to_the_schema(self):
        """Each is an event of the Elastic Common Schema 8."""
        checking = jsonschema.Draft202012Validator(ECS)
        count = 0
        for records in STORY.records.values():
            for record in records:
                made = event(record, 1)
                if made is not None:
                    checking.validate(made)
                    count += 1
        assert count > 30

    def test_tell_who_was_refused_what_by_which_rule(self):
        [denied] = [one for one in STORY.records["registry"] if one.type == "registry.authorization.denied"]
        made = event(denied, 1)
        assert (made["user"]["id"], made["event"]["action"]) == ("anna", "registry.promotion.approve")
        assert (made["rule"]["id"], made["event"]["outcome"]) == ("four_eyes.self_approval", "failure")
        assert made["labels"]["letopis_object"] == "promotion p-credit-1"

    def test_name_nobody_and_nothing_personal(self):
        for ledger in STORY.records:
            for message in told(ledger):
                assert b"sealed.v1" not in message
                assert "Имя".encode() not in message


class TestReceiving:
    """What a receiver notices without asking anybody."""

    def received(self, given, marked=True):
        keeping = Receiving()
        for one in given:
            keeping.take(one)
        if marked:
            whole = list(messages(STORY.records["registry"], Reached(), "bank"))[-1][1]
            keeping.take(mark({"registry": whole}, "2026-11-21T00:00:00.000000Z", "bank"))
        return keeping.missing()

    def test_of_all_of_it_lacks_nothing_in_any_order_and_twice(self):
        sent = told("registry")
        assert self.received(sent) == []
        assert self.received([*reversed(sent), *sent]) == []

    def test_names_each_lost_message_the_end_too(self):
        sent = told("registry")
        for lost in (0, 5, len(sent) - 1):
            assert self.received([one for at, one in enumerate(sent) if at != lost]) == [
                f"registry: number {lost + 1} is missing"
            ]

    def test_names_a_changed_message(self):
        sent = told("registry")
        for at in (0, 5, len(sent) - 1):
            changed = sent[at].replace(b'"module":"letopis"', b'"module":"LETOPIS"')
            found = self.received([*sent[:at], changed, *sent[at + 1 :]])
            assert len(found) == 1
            assert f"number {min(at + 2, len(sent))}" in found[0]

    def test_frames_are_counted_in_octets_whatever_the_borders(self):
        sent = told("access")
        stream, found = b"".join(map(framed, sent)), []
        rest = b""
        for at in range(0, len(stream), 7):
            whole, rest = unframed(rest + stream[at : at + 7])
            found += whole
        assert (found, rest) == (sent, b"")


class Siem(Listening):
    """A receiver on loopback; it hangs up after as many bytes as it is told, and keeps the events."""

    def __init__(self, context):
        super().__init__(context=context, told=self.keep)
        self.events, self.hang_up, self.grown = [], [], asyncio.Event()

    def keep(self, message, event):
        self.events += [event] if event else []
        self.grown.set()

    def patience(self):
        return self.hang_up.pop(0) if self.hang_up else super().patience()

    async def wait(self, true):
        async with asyncio.timeout(60):
            while not true():
                self.grown.clear()
                await self.grown.wait()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself: (PEM file, context of the server)."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siem")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("siem")
    (folder / "siem.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "siem.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "siem.pem", folder / "siem.key")
    return folder / "siem.pem", context


@pytest.fixture
async def siem(certificate):
    one = Siem(certificate[1])
    one.port = await one.serve("127.0.0.1", 0)
    yield one
    one.close()


def sending(siem, copies, path, ca, url=None):
    return Sending(
        receiver=Receiver(url=url or f"syslog+tls://127.0.0.1:{siem.port}", ca_file=ca),
        copies=copies, ledgers=tuple(STORY.records), kept=Kept(path), clock=SystemClock(), metrics=Metrics("audit"),
        host="bank", every=0.01, marked_every=0.05,
    )  # fmt: skip


class TestSending:
    async def test_arrives_whole_though_the_receiver_hangs_up(self, siem, copies, certificate, tmp_path):
        for ledger, records in STORY.records.items():
            await Copier(ledger, copies).take(records, {})
        siem.hang_up = [3000, 9000]
        for _ in range(2):
            with pytest.raises((Unavailable, ConnectionError, ssl.SSLError)):
                await asyncio.wait_for(sending(siem, copies, tmp_path / "siem.json", certificate[0]).run(), 60)
        running = asyncio.create_task(sending(siem, copies, tmp_path / "siem.json", certificate[0]).run())
        expected = sum(len(told(ledger)) for ledger in STORY.records)
        try:
            await siem.wait(lambda: len(siem.events) == expected and len(siem.receiving.marked) == len(STORY.records))
        finally:
            await end(running)
        assert siem.connections == 3
        assert siem.receiving.missing() == []
        assert len({one["event"]["id"] for one in siem.events}) == expected

    async def test_goes_on_where_it_was(self, siem, copies, certificate, tmp_path):
        records = STORY.records["registry"]
        await Copier("registry", copies).take(records[:20], {})
        for upto in (20, len(records)):
            if upto > 20:
                await Copier("registry", copies).take(records[20:], {})
            expected = len([one for one in records[:upto] if event(one, 1)])
            running = asyncio.create_task(sending(siem, copies, tmp_path / "siem.json", certificate[0]).run())
            try:
                await siem.wait(lambda: len(siem.events) == expected)  # noqa: B023
            finally:
                await end(running)
        assert siem.receiving.missing() == []

    async def test_goes_to_nobody_who_is_not_the_receiver(self, siem, copies, tmp_path):
        with pytest.raises(Unavailable, match="cannot be reached"):
            await sending(siem, copies, tmp_path / "siem.json", None).run()
        with pytest.raises(ValueError, match=r"syslog\+tls"):
            await sending(siem, copies, tmp_path / "siem.json", None, "syslog://127.0.0.1:1").run()
        assert siem.events == []
