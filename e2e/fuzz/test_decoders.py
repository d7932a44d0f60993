"""Whatever reads bytes from outside either reads them or says no in its own words; it never falls over.

Inputs are valid ones changed in places, and pieces that confuse readers. `make fuzz` gives each far more of them.
"""

import json
import math
import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from letopis.audit.evidence.verifier.archive import read as read_archive
from letopis.audit.evidence.verifier.archive import written
from letopis.audit.log.note import BadNote, Checkpoint, Signer, open_note, sign_note
from letopis.audit.log.tile import BadTile, parse_index, unbundle
from letopis.audit.log.tile import bundle as tile_bundle
from letopis.common.envelope import NewFact, Record, record_from_json, record_line, record_to_json, records_of_lines
from letopis.common.errors import Unauthenticated
from letopis.common.http.governing import bearer
from letopis.common.http.strict import DEPTH, BodyInvalid, check
from letopis.common.identity import strict_json
from letopis.common.identity.claims import TokenRefused
from letopis.common.identity.verifier import header_of
from letopis.common.messaging import MessageError, cloudevent, segments, told_in
from letopis.common.policy.bundle import build, new_key, public_half, verify_bundle
from letopis.common.policy.sources import Bundle, PolicyError, revision_of
from letopis.console.session.cookie import Seal
from letopis.inference.decision import frame

EXAMPLES = int(os.environ.get("LETOPIS_FUZZ_DECODED", "60"))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RECORD = Record(
    ledger="registry",
    position=7,
    stream="model:cards",
    version=2,
    prev=3,
    event_id=UUID(int=1),
    type="registry.model.registered",
    schema_version=1,
    recorded_at=NOW,
    command_id=None,
    salt=bytes(16),
    data=b'{"model_id":"cards"}',
    meta=b"{}",
)
CONFUSING = [
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"1" * 5000,
    b'"\\u0000"',
    b'"\\ud800"',
    b'{"a":1,"a":2}',
    b"[" * 40,
    b"{}" * 3,
    b"\r\n\r\n",
    "\u0661\u00b2".encode(),
    b"-",
    b".",
    b"=",
    b"/../",
    b"%2e%2e",
]


@st.composite
def bent(draw, valid):
    """A valid input with up to three places changed."""
    data = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.sampled_from(CONFUSING) | st.binary(max_size=4))
        cut = draw(st.integers(0, 4) | st.integers(0, len(data)))
        data[at : at + cut] = piece
    return bytes(data)


def trying(*valid):
    """Decorates a test over bent inputs."""

    def decorate(test):
        return settings(max_examples=EXAMPLES, deadline=None)(given(bent([*valid, b""]) | st.binary(max_size=60))(test))

    return decorate


def keys_once(pairs):
    made = dict(pairs)
    assert len(made) == len(pairs)
    return made


class TestJson:
    @trying(b'{"a": [1, 2.5, "x", null, true], "b": {"c": "\\u0041"}}', b'[[[{"deep": []}]]]', b'"text"')
    @example(b'{"a":1,"\\u0061":2}')
    @example(b'{"a":"\\ud83d\\ude00"}')
    def test_a_body_that_passes_has_one_meaning(self, data):
        try:
            check(data)
        except BodyInvalid:
            return
        # Python's own reader is the outside judge of what was let through.
        found = json.loads(data.decode(), object_pairs_hook=keys_once, parse_constant=pytest.fail)
        assert depth(found) <= DEPTH
        text = json.dumps(found, ensure_ascii=False, allow_nan=False)
        assert "\\u0000" not in text
        assert json.loads(text.encode()) == found

    @trying(b'{"iss": "x", "exp": 12, "aud": ["letopis"]}')
    def test_a_token_part_that_passes_has_one_meaning(self, data):
        try:
            found = strict_json.parse(data)
        except ValueError:
            return
        assert json.loads(data, object_pairs_hook=keys_once) == found
        assert all(math.isfinite(one) for one in found.values() if isinstance(one, float))


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(one) for one in inner), default=0)


class TestToken:
    HEADER = b"eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiYXQrand0Iiwia2lkIjoib25lIn0.e30.AAAA"

    @trying(HEADER)
    def test_a_header_is_read_or_refused(self, data):
        try:
            found = header_of(data.decode("latin-1"))
        except TokenRefused:
            return
        assert found["typ"].lower() in {"at+jwt", "application/at+jwt"}
        assert not found.keys() & {"jwk", "jku", "x5u", "x5c", "crit"}

    @trying(b"Bearer " + HEADER, b"bearer a b", b"Basic eDp5")
    def test_a_header_of_authorization_is_read_or_refused(self, data):
        try:
            token = bearer(data.decode("latin-1"))
        except Unauthenticated:
            return
        assert token
        assert token == token.strip()


class TestBundle:
    TABLES = {"actions": {}, "rules": {}, "settings": {}}
    MODULES = {"letopis/gate.rego": "package letopis.gate\n"}
    REVISION = revision_of(MODULES, TABLES)
    KEY = new_key()
    SIGNED = build(Bundle(modules=MODULES, data={"bundle": TABLES | {"revision": REVISION}}, revision=REVISION), KEY)

    @trying(SIGNED)
    def test_only_what_was_signed_is_loaded(self, data):
        try:
            found = verify_bundle(data, public_half(self.KEY))
        except PolicyError:
            return
        assert found.revision == self.REVISION
        assert found.modules == self.MODULES


class TestNews:
    @trying(cloudevent(RECORD), cloudevent(RECORD, most=1))
    def test_an_event_is_read_or_is_none(self, data):
        read_or(MessageError, told_in, "letopis.registry.model.registered", data)

    @trying(segments([RECORD], 10_000)[0][1])
    def test_a_segment_is_read_or_is_none(self, data):
        read_or(MessageError, told_in, "letopis.decisions.segment", data)

    @trying(json.dumps(record_to_json(RECORD)).encode())
    def test_a_record_is_read_whole_or_not(self, data):
        try:
            document = json.loads(data)
        except ValueError:
            return
        if isinstance(document, dict) and all(isinstance(one, str) for one in document.values()):
            read_or((KeyError, ValueError), record_from_json, document)

    @trying(record_line(RECORD))
    def test_a_line_is_a_record_or_is_none(self, data):
        read_or(ValueError, records_of_lines, data.splitlines())


class TestCursors:
    SOURCE = UUID(int=9)
    HEADER = frame.Header(source_id=SOURCE, first_seq=1, batch=0, chain=frame.first_chain(SOURCE))
    FACT = NewFact(
        event_id=UUID(int=1), type="decisions.journal.opened", schema_version=1, salt=bytes(16), data=b"{}", meta=b"{}"
    )
    SEGMENT = frame.encode_header(HEADER) + frame.encode_batch([FACT, FACT], 1, HEADER.chain)[0] + bytes(64)

    @trying(SEGMENT)
    @example(SEGMENT[:-65])
    def test_a_journal_ends_somewhere_and_holds_only_what_was_written(self, data):
        header = frame.decode_header(data)
        if header is None:
            return
        frame.tail(data, header)
        for one in frame.entries(data, header):
            assert one.fact == self.FACT or header != self.HEADER
            # A record is whole without the zeros that fill up its last eight bytes.
            assert one.end < len(data) + 8

    @trying(b"x001/x234/067.p/12", b"067", b"x001/000")
    def test_a_tile_has_one_path(self, data):
        read_or(BadTile, parse_index, data.decode("latin-1"))

    @trying(tile_bundle([b"one", b"", b"three" * 99]))
    def test_entries_are_read_whole_or_not(self, data):
        found = read_or(BadTile, unbundle, data)
        assert found is None or tile_bundle(found) == data


class TestNotes:
    SIGNER = Signer("bank.example/registry", Ed25519PrivateKey.generate())
    TEXT = Checkpoint("bank.example/registry", 7, bytes(32)).text()

    @trying(sign_note(TEXT, SIGNER).encode())
    def test_only_what_was_signed_is_opened(self, data):
        found = read_or(BadNote, open_note, data.decode("latin-1"), [self.SIGNER.verifier()])
        assert found in {None, self.TEXT}

    @trying(TEXT.encode())
    @example(b"a\n" + b"9" * 5000 + b"\nAAAA\n")
    def test_a_checkpoint_is_read_or_is_none(self, data):
        read_or(BadNote, Checkpoint.parse, data.decode("latin-1"))

    @trying(written([("a.txt", b"one"), ("b/c.txt", b"two")]))
    def test_an_archive_is_read_or_its_faults_are_told(self, data):
        members, faults = read_archive(data)
        assert members or faults


class TestCookie:
    SEAL = Seal(bytes(32))
    GOOD = SEAL.close("session", {"login": "anna"}, NOW + timedelta(hours=1)).encode()

    @trying(GOOD)
    def test_opens_only_as_it_was_sealed(self, data):
        found = self.SEAL.open("session", data.decode("latin-1"), NOW)
        assert found in ({"login": "anna"}, None)
        assert self.SEAL.open("login", data.decode("latin-1"), NOW) is None


def read_or(refused, read, *inputs):
    try:
        return read(*inputs)
    except refused:
        return None
