"""The sealed value and the facts that hold one."""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.envelope import Record
from letopis.common.handling import new_fact
from letopis.common.sealing import Key, Place, is_sealed, key_ids, opened_record
from letopis.common.sealing.sealed import PREFIX, SealBroken, seal, unseal
from letopis.common.serialization import Catalogue, Personal, Unsealed
from letopis.common.testing.sealing import EndlessKeys, MemoryKeyStore, sealer

KEY = Key("0f" * 16, bytes(range(32)))
PLACE = Place(ledger="people", type="people.person.met", event_id=UUID(int=7), field="name", subject="person:anna")


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    person: str
    name: Annotated[str, Personal("person:{person}")]
    traits: Annotated[dict[str, float | str | None] | str, Personal("person:{person}")]
    place: str


FACTS = Catalogue([("people.person.met", 1, Met)])


def stored(fact: Met, keys: EndlessKeys) -> Record:
    new = new_fact(FACTS, fact, b"{}", sealer("people", keys))
    return Record(
        ledger="people",
        position=1,
        stream="person:1",
        version=1,
        prev=0,
        event_id=new.event_id,
        type=new.type,
        schema_version=1,
        recorded_at=datetime.now(UTC),
        command_id=None,
        salt=new.salt,
        data=new.data,
        meta=new.meta,
    )


class TestSeal:
    def test_is_plain_aes_256_gcm_over_the_place(self):
        """The outside judge is the library's own AES-GCM, fed by hand."""
        text = seal(KEY, PLACE, b'"Anna"', bytes(12))
        assert text.startswith(PREFIX + KEY.id + ".")
        raw = base64.urlsafe_b64decode(text.rpartition(".")[2] + "==")
        bound = b"letopis-sealed-v1\npeople\npeople.person.met\n00000000-0000-0000-0000-000000000007\nname\nperson:anna"
        assert AESGCM(KEY.secret).decrypt(raw[:12], raw[12:], bound) == b'"Anna"'

    @pytest.mark.parametrize("part", ["ledger", "type", "event_id", "field", "subject"])
    def test_opens_only_where_it_was_sealed(self, part):
        text = seal(KEY, PLACE, b'"Anna"', bytes(12))
        assert unseal(KEY, PLACE, text) == b'"Anna"'
        with pytest.raises(SealBroken):
            unseal(KEY, replace(PLACE, **{part: UUID(int=8) if part == "event_id" else "other"}), text)

    def test_every_changed_character_is_noticed(self):
        text = seal(KEY, PLACE, b'"Anna"', bytes(12))
        for at in range(len(PREFIX) + 33, len(text) - 1):
            with pytest.raises(SealBroken):
                unseal(KEY, PLACE, text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])

    def test_a_key_is_shown_in_no_text(self):
        assert KEY.secret.hex() not in repr(KEY)
        assert str(KEY) == f"Key({KEY.id})"


class TestFact:
    def test_personal_fields_cannot_be_written_in_clear(self):
        with pytest.raises(Unsealed, match="name, traits"):
            new_fact(FACTS, Met(person="anna", name="Anna", traits={}, place="here"), b"{}")

    @given(name=st.text(), traits=st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False) | st.text()))
    def test_is_sealed_before_it_is_stored_and_opens_to_the_same(self, name, traits):
        traits = {key: None if value in (float("inf"), -float("inf")) else value for key, value in traits.items()}
        keys = EndlessKeys(MemoryKeyStore())
        record = stored(Met(person="anna", name=name, traits=traits, place="here"), keys)
        held = msgspec.json.decode(record.data)
        assert (held["person"], held["place"]) == ("anna", "here")
        assert is_sealed(held["name"])
        assert is_sealed(held["traits"])
        assert key_ids(record.data) == {keys.key_for("person:anna").id}
        # Stored bytes are canonical, and what is opened is what was told.
        assert msgspec.json.encode(held, order="sorted") == record.data
        found = {id: keys.store.keys[id] for id in key_ids(record.data)}
        fact = FACTS.decode(record.type, 1, opened_record(record, FACTS, found).data)
        assert fact == Met(person="anna", name=name, traits=traits, place="here")

    def test_without_its_key_it_stays_sealed_and_readable_as_a_fact(self):
        record = stored(Met(person="anna", name="Anna", traits={"a": 1.0}, place="here"), EndlessKeys(MemoryKeyStore()))
        assert opened_record(record, FACTS, {}) == record
        fact = FACTS.decode(record.type, 1, record.data)
        assert is_sealed(fact.name)
        assert is_sealed(fact.traits)

    def test_a_value_moved_to_another_fact_does_not_open(self):
        keys = EndlessKeys(MemoryKeyStore())
        told = Met(person="anna", name="Anna", traits={"a": 1.0}, place="here")
        one, two = stored(told, keys), stored(told, keys)
        with pytest.raises(SealBroken):
            opened_record(replace(one, data=two.data), FACTS, keys.store.keys)
