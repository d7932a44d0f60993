"""Proofs are judged by audit's own tree and notes, of which the check shares no line, and by RFC 6962's example."""

from hashlib import sha256

import pytest
from console_neighbours import prove
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.merkle import root_of
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.console.proof.checking import Head, NotProved, check_inclusion, signed_head

SIGNER = Signer("letopis.test/log/decisions", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEY = SIGNER.verifier().text()


def leaves(count):
    return [sha256(bytes([0, at])).digest() for at in range(count)]


def head(hashes):
    return Head(origin="o", size=len(hashes), root=root_of(hashes))


class TestInclusion:
    @pytest.mark.parametrize("size", range(1, 34))
    def test_accepts_every_leaf_of_every_tree_that_audit_proves(self, size):
        hashes = leaves(size)
        for index in range(size):
            check_inclusion(hashes[index], index, head(hashes), prove(hashes, index, size))

    @pytest.mark.parametrize(("index", "size"), [(0, 1), (3, 7), (6, 7), (12, 13), (8, 16)])
    def test_refuses_anything_else(self, index, size):
        hashes = leaves(size)
        good, path, leaf = head(hashes), prove(hashes, index, size), hashes[index]
        bad = [
            (sha256(b"other").digest(), index, good, path),
            (leaf, index, Head(origin="o", size=size, root=bytes(32)), path),
            (leaf, index, good, [*path, bytes(32)]),
            (leaf, size, good, path),
            (leaf, -1, good, path),
        ]
        bad += [(leaf, other, good, path) for other in range(size) if other != index]
        bad += [(leaf, index, good, path[:at] + path[at + 1 :]) for at in range(len(path))]
        bad += [(leaf, index, good, [*path[:at], bytes(32), *path[at + 1 :]]) for at in range(len(path))]
        for one in bad:
            with pytest.raises(NotProved):
                check_inclusion(*one)

    def test_published_tree_of_eight_leaves(self):
        """The reference tree of certificate-transparency (merkle_tree_test.cc): its eight inputs and its root."""
        inputs = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
        hashes = [sha256(b"\x00" + bytes.fromhex(one)).digest() for one in inputs]
        root = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
        path = [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        tree = Head(origin="o", size=8, root=root)
        check_inclusion(hashes[5], 5, tree, [bytes.fromhex(one) for one in path])


class TestSignedHead:
    def test_reads_what_audit_signed(self):
        hashes = leaves(5)
        note = sign_note(Checkpoint(SIGNER.name, 5, root_of(hashes)).text(), SIGNER)
        assert signed_head(note, KEY) == Head(origin=SIGNER.name, size=5, root=root_of(hashes))

    def test_reads_it_among_signatures_of_others(self):
        witness = Signer("witness.test", Ed25519PrivateKey.generate())
        note = sign_note(Checkpoint(SIGNER.name, 1, bytes(32)).text(), witness, SIGNER)
        assert signed_head(note, KEY).size == 1

    def test_refuses_other_keys_other_logs_and_every_changed_byte(self):
        text = Checkpoint(SIGNER.name, 5, bytes(32)).text()
        note = sign_note(text, SIGNER)
        stranger = Signer(SIGNER.name, Ed25519PrivateKey.generate())
        other = Signer("letopis.test/log/registry", SIGNER.key)
        bad = [sign_note(text, stranger), sign_note(text, other), text, "", note.replace("\n\n", "\n", 1)]
        bad.append(sign_note(Checkpoint(other.name, 5, bytes(32)).text(), SIGNER))
        bad += [note[:at] + ("x" if note[at] != "x" else "y") + note[at + 1 :] for at in range(len(note) - 1)]
        for one in bad:
            with pytest.raises(NotProved):
                signed_head(one, KEY)
        for key in ("", "a+b", "a+b+!!!!", f"{KEY[:-4]}AAA="):
            with pytest.raises(NotProved):
                signed_head(note, key)
