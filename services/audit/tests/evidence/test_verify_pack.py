"""The verifier of packs: every byte counts, and what was changed is named."""

import subprocess
import sys
from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.evidence import pack as writer
from letopis.audit.evidence.program import remade, verify_pyz
from letopis.audit.evidence.verifier import archive
from letopis.audit.evidence.verifier.command import told
from letopis.audit.evidence.verifier.note import keys_of
from letopis.audit.evidence.verifier.pack import verify
from letopis.audit.log.note import sign_note
from letopis.common.envelope import record_line

# A report that costs little to make again.
SMALL = """
type = "facts"
schema_version = 1
title = { en = "", ru = "" }
lead = { en = "", ru = "" }
redaction = { en = "", ru = "" }
ledgers = ["registry"]
[table.fact]
key = "fact.place"
[[table.fact.from]]
fact = "registry.model.registered"
put = { name = "name" }
[[number]]
id = "n"
title = { en = "", ru = "" }
value = "count(rows('fact'))"
[[section]]
id = "facts"
title = { en = "", ru = "" }
empty = { en = "", ru = "" }
table = "fact"
columns = [{ id = "name", en = "", ru = "" }]
"""


def places(verdict):
    return [fault.place for fault in verdict.faults]


class TestGoodPack:
    def test_verifies(self, pack):
        verdict = verify(pack, remade)
        assert verdict.faults == []
        assert "registry: 3 facts, contiguous, their root is the checkpoint's" in verdict.checks
        assert "decisions: 2 facts proved to be in a ledger of 11" in verdict.checks
        assert told(verdict, own_keys=True).endswith("\nVERIFIED")

    def test_verifies_with_keys_known_from_elsewhere(self, pack, kit):
        known = [kit.signer(name).verifier().text() for name in ("pack", "registry", "inference", "decisions")]
        assert verify(pack, remade, keys_of("\n".join(known))).good

    def test_is_refused_under_another_key(self, pack, kit):
        other = replace(kit.signer("pack"), key=Ed25519PrivateKey.generate())
        verdict = verify(pack, remade, keys_of(other.verifier().text()))
        assert not verdict.good

    def test_is_made_the_same_twice(self, draft, pack):
        assert draft.made() == pack


class TestProgram:
    """Row: the regulator checks a pack alone, with Python and nothing else."""

    def test_verifies_with_the_standard_library_alone(self, pack, tmp_path):
        (tmp_path / "verify.pyz").write_bytes(verify_pyz())
        (tmp_path / "pack.zip").write_bytes(pack)
        command = [sys.executable, "-I", "-S", "verify.pyz", "pack.zip"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("VERIFIED\n")

    def test_names_a_changed_byte(self, pack, tmp_path):
        at = pack.index("Кредит".encode())
        (tmp_path / "verify.pyz").write_bytes(verify_pyz())
        (tmp_path / "pack.zip").write_bytes(flipped(pack, at, 1))
        command = [sys.executable, "-I", "-S", "verify.pyz", "pack.zip"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        member = holding(pack, at)
        assert f"FAILED at {member.name} byte {at - member.start} " in done.stdout


def flipped(pack, at, bits):
    return pack[:at] + bytes([pack[at] ^ bits]) + pack[at + 1 :]


def holding(pack, at):
    members, _ = archive.read(pack)
    return next((one for one in members if one.start <= at < one.start + len(one.data)), None)


class TestFlippedByte:
    """Row: flip every byte of a pack and it must fail, named to the byte."""

    def test_of_any_place_fails_and_is_named(self, draft, monkeypatch, kit, remake):
        draft.definition = SMALL.encode()
        monkeypatch.setattr(kit, "verify_pyz", lambda: b"#!/usr/bin/env python3\nprint('small')\n")
        pack = draft.made()
        members, _ = archive.read(pack)
        owner = {at: one for one in members for at in range(one.start, one.start + len(one.data))}
        for at in range(len(pack)):
            verdict = verify(flipped(pack, at, 1 << at % 8), remake)
            member = owner.get(at)
            expected = f"archive byte {at}" if member is None else f"{member.name} byte {at - member.start} (0x"
            assert any(place.startswith(expected) for place in places(verdict)), (at, expected, places(verdict))

    def test_of_the_program_in_the_pack_is_named(self, pack):
        at = pack.index(b"#!/usr/bin/env python3") + 1000
        verdict = verify(flipped(pack, at, 0x10), remade)
        assert places(verdict)[0].startswith("verify.pyz byte 1000 ")

    def test_of_a_fact_is_named_by_ledger_and_position_too(self, pack):
        at = pack.index(b"registry.production.entered") + 40
        assert "registry/3" in places(verify(flipped(pack, at, 1), remade))

    @pytest.mark.parametrize("more", [b"\0", b"PK\5\6" + bytes(18)])
    def test_added_at_the_end_fails(self, pack, more):
        assert not verify(pack + more, remade).good

    def test_cut_off_fails(self, pack):
        for size in (0, 1, 100, len(pack) // 2, len(pack) - 1):
            assert not verify(pack[:size], remade).good


class TestForgedPack:
    """Packs that our own key signed, but that do not tell what was sealed."""

    def test_with_a_changed_fact_names_its_position(self, draft, kit):
        good = draft.registry[1]
        sealed, note = kit.checkpoint("registry", draft.registry)
        forged = replace(good, data=good.data.replace(b'"anna"', b'"olga"'))
        draft.registry[1] = forged
        assert verify(draft.made(), remade).good
        assert self.under(draft, sealed, note, kit) == ["ledgers/registry.records"]

    @staticmethod
    def under(draft, sealed, note, kit):
        """The faults of the draft's pack under a head that was signed before."""
        real = writer.build

        def build(**given):
            part = replace(given["whole"]["registry"], head=sealed, note=note)
            return real(**given | {"whole": given["whole"] | {"registry": part}})

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kit, "build", build)
            return places(verify(draft.made(), remade))

    def test_with_a_hole_names_it(self, draft, kit):
        sealed, note = kit.checkpoint("registry", draft.registry)
        del draft.registry[1]
        assert self.under(draft, sealed, note, kit) == ["registry/2"]

    def test_with_the_tail_cut_off_is_found(self, draft, kit):
        sealed, note = kit.checkpoint("registry", draft.registry)
        del draft.registry[2]
        assert self.under(draft, sealed, note, kit) == ["ledgers/registry.records"]

    def test_with_an_excerpt_that_was_never_sealed_names_it(self, draft, kit):
        sealed = draft.decisions
        draft.decisions = [*sealed]
        good = draft.made()
        fake = kit.record("decisions", 3, "decisions.decision.made", {"score": 99}, stream=sealed[2].stream)
        lines = {record_line(sealed[2]): record_line(fake), writer.leaf_bytes(sealed[2]): writer.leaf_bytes(fake)}
        assert places(verify(resigned(good, lines, kit), remade)) == ["decisions/3"]

    def test_with_another_report_names_the_byte(self, draft):
        document = member(draft.made(), "report/model_inventory.json")
        draft.report = document.replace(b'"anna"', b'"olga"', 1)
        at = document.index(b'"anna"') + len(b'"')
        assert places(verify(draft.made(), remade)) == [f"report/model_inventory.json byte {at}"]

    def test_with_a_leaf_that_is_not_the_records_names_it(self, draft, kit):
        leaf = writer.leaf_bytes(draft.registry[0])
        changed = leaf.replace(b'"v":"1"', b'"v":"2"')
        assert "registry/1" in places(verify(resigned(draft.made(), {leaf: changed}, kit), remade))

    def test_with_a_record_in_another_spelling_is_refused(self, draft, kit):
        line = record_line(draft.registry[0])
        spaced = line.replace(b'{"v":"1",', b'{"v": "1",')
        doubled = line.replace(b'{"v":"1",', b'{"v":"1","v":"1",')
        for other in (spaced, doubled):
            verdict = verify(resigned(draft.made(), {line: other}, kit), remade)
            assert places(verdict) == ["ledgers/registry.records byte 0"]

    def test_with_a_definition_that_cannot_be_made_says_so(self, draft):
        draft.definition = SMALL.replace("count(rows('fact'))", "exec(1)").encode()
        draft.report = b"nothing"
        [fault] = verify(draft.made(), remade).faults
        assert fault.place == "report/facts.toml"
        assert "not part of the language" in fault.what

    def test_with_another_definition_names_the_report(self, draft):
        draft.report = member(draft.made(), "report/model_inventory.json")
        good = draft.definition
        draft.definition = good.replace("Модели".encode(), "Модуля".encode(), 1)
        assert draft.definition != good
        assert places(verify(draft.made(), remade))[0].startswith("report/model_inventory.json byte ")


def member(pack, name):
    members, _ = archive.read(pack)
    return next(one.data for one in members if one.name == name)


def resigned(pack, changes, kit):
    """The pack with some bytes replaced, its manifest made anew and signed by our own key."""
    members, _ = archive.read(pack)
    files = {}
    for one in members:
        data = one.data
        for old, new in changes.items():
            data = data.replace(old, new)
        files[one.name] = data
    manifest = writer.manifest_of(pack)
    for one in manifest["members"]:
        data = files[one["name"]]
        one.update(bytes=len(data), sha256=writer.sha256(data).hexdigest())
    files["manifest.json"] = writer.canonical(manifest)
    text = f"{writer.FORMAT}\n{writer.sha256(files['manifest.json']).hexdigest()}\n"
    files["manifest.note"] = sign_note(text, kit.signer("pack")).encode()
    return archive.written(files.items())


class TestKeptCheckpoint:
    def test_of_an_earlier_state_is_consistent(self, draft, pack, kit):
        _, whole = kit.checkpoint("registry", draft.registry[:2])
        _, part = kit.checkpoint("decisions", draft.decisions[:5])
        verdict = verify(pack, remade, kept=[whole.encode(), part.encode()])
        assert verdict.faults == []
        assert "decisions from 5 to 11: consistent with the kept checkpoint" in verdict.checks

    def test_of_another_history_is_named(self, draft, pack, kit):
        """A fork signed by the log's own key is caught by the head that a stranger kept."""
        _, note = kit.checkpoint("decisions", [replace(one, data=b"{}") for one in draft.decisions[:5]])
        assert places(verify(pack, remade, kept=[note.encode()])) == ["decisions from 5 to 11"]
        _, note = kit.checkpoint("registry", [replace(one, data=b"{}") for one in draft.registry[:2]])
        assert places(verify(pack, remade, kept=[note.encode()])) == ["registry from 2 to 3"]

    def test_newer_than_the_pack_is_named(self, pack, kit):
        _, note = kit.checkpoint("decisions", kit.decisions(12))
        assert places(verify(pack, remade, kept=[note.encode()])) == ["decisions from 12 to 11"]

    def test_without_a_proof_is_not_believed(self, pack, draft, kit):
        _, note = kit.checkpoint("decisions", draft.decisions[:7])
        assert places(verify(pack, remade, kept=[note.encode()])) == ["decisions from 7 to 11"]


class TestManifestNote:
    def test_of_another_text_is_refused(self, pack, kit):
        other = sign_note(f"{writer.FORMAT}\n{'0' * 64}\n", kit.signer("pack")).encode()
        members, _ = archive.read(pack)
        forged = archive.written((one.name, other if one.name == "manifest.note" else one.data) for one in members)
        assert places(verify(forged, remade)) == ["manifest.json"]

    def test_with_a_stranger_beside_the_signature_is_refused(self, pack):
        note = member(pack, "manifest.note") + f"\u2014 stranger {b64encode(bytes(68)).decode()}\n".encode()
        members, _ = archive.read(pack)
        forged = archive.written((one.name, note if one.name == "manifest.note" else one.data) for one in members)
        assert places(verify(forged, remade)) == ["manifest.note"]
