"""Notes against the vectors of Go's sumdb and C2SP."""

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.note import BadNote, Checkpoint, Signer, Verifier, decoded, open_note, sign_note

# golang.org/x/mod sumdb/note: keys, text and signatures of its tests.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = decoded("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


class TestVerifierKey:
    def test_is_the_published_one(self):
        signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
        assert signer.verifier().text() == PETER
        assert Verifier.parse(PETER).key_id.hex() == "c74f20a3"

    def test_cannot_be_cut_or_changed(self):
        for start in range(len(PETER) + 1):
            for end in range(start + 1, len(PETER) + 1):
                if (start, end) != (0, len(PETER)):
                    with pytest.raises(BadNote):
                        Verifier.parse(PETER[start:end])
        for at, letter in enumerate(PETER):
            with pytest.raises(BadNote):
                Verifier.parse(PETER[:at] + chr(ord(letter) + 1) + PETER[at + 1 :])

    @pytest.mark.parametrize(
        "text",
        [
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ],
    )
    def test_of_another_length_or_kind_is_refused(self, text):
        with pytest.raises(BadNote):
            Verifier.parse(text)


class TestSign:
    def test_makes_the_published_note(self):
        signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
        assert sign_note(TEXT, signer) == f"{TEXT}\n{PETER_LINE}"

    def test_refuses_a_text_without_a_last_newline(self):
        with pytest.raises(BadNote):
            sign_note("abc", Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED)))

    @pytest.mark.parametrize("name", ["", "a+b", "a b", "a\u00a0b", "a\nb"])
    def test_refuses_a_name_that_breaks_the_line(self, name):
        with pytest.raises(BadNote):
            Verifier(name, b"\0" * 32)


class TestOpen:
    def test_tells_the_text_that_a_trusted_key_signed(self):
        note = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"
        assert open_note(note, [Verifier.parse(PETER)]) == TEXT
        assert open_note(note, [Verifier.parse(PETER), Verifier.parse(ENOCH)]) == TEXT

    def test_keeps_empty_lines_of_the_text(self):
        signer = Signer("a", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
        assert open_note(sign_note("one\n\ntwo\n", signer), [signer.verifier()]) == "one\n\ntwo\n"

    def test_needs_a_trusted_key(self):
        with pytest.raises(BadNote, match="no key trusted"):
            open_note(f"{TEXT}\n{ENOCH_LINE}", [Verifier.parse(PETER)])

    def test_is_spoiled_by_a_bad_signature_of_a_trusted_key(self):
        bad = PETER_LINE.replace("ZJku", "ZJkv")
        with pytest.raises(BadNote, match="not valid"):
            open_note(f"{TEXT}\n{bad}{ENOCH_LINE}", [Verifier.parse(PETER), Verifier.parse(ENOCH)])

    @pytest.mark.parametrize(
        "note",
        [
            TEXT,
            TEXT + "\n",
            f"{TEXT}\n{PETER_LINE[:-1]}",
            f"\x01{TEXT}\n{PETER_LINE}",
            f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Bad Name')}",
            f"{TEXT}\n{PETER_LINE}Unexpected line.\n",
            f"{TEXT}\n{PETER_LINE * 101}",
            f"{TEXT}\n{PETER_LINE.replace('=', '')}",
            "",
        ],
    )
    def test_refuses_what_is_no_note(self, note):
        with pytest.raises(BadNote):
            open_note(note, [Verifier.parse(PETER)])


class TestCheckpoint:
    def test_is_the_published_text(self):
        root = sha256(b"\x00hello world").digest()
        text = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
        assert Checkpoint("go.sum database tree", 123456789012, root).text() == text
        assert Checkpoint.parse(text) == Checkpoint("go.sum database tree", 123456789012, root)

    def test_of_the_specification_is_read(self):
        text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        assert Checkpoint.parse(text).size == 20852163
        assert Checkpoint.parse(text).text() == text

    @pytest.mark.parametrize(
        "text",
        [
            "o\n0xabcdef\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
            "o\n0123\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
            "o\n-1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
            "o\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBTOOBIG=\n",
            "o\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb1=\n",
            "\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
            "o\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=",
            "o\n1\n",
        ],
    )
    def test_has_one_spelling(self, text):
        with pytest.raises(BadNote):
            Checkpoint.parse(text)


class TestBase64:
    def test_is_strict(self):
        assert decoded(b64encode(b"ab").decode()) == b"ab"
        for text in ("YWI", "YWJ=", "YW I=", "YWI=\n", "YWI=="):
            with pytest.raises(BadNote):
                decoded(text)
