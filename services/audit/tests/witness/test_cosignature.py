"""Cosignatures against the example of the specification's text, and against forgery."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.note import BadNote
from letopis.audit.witness.cosignature import Cosigner, WitnessKey

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


@pytest.fixture(scope="module")
def cosigner():
    return Cosigner("witness.example/one", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


class TestCosign:
    def test_is_verified_with_the_time_in_it(self, cosigner):
        line = cosigner.cosign(TEXT, 1_700_000_000)
        assert cosigner.verifier().cosigned(line.rstrip("\n"), TEXT) == 1_700_000_000

    def test_signs_what_the_specification_says(self, cosigner):
        """The signed bytes, spelled by hand."""
        import base64

        line = cosigner.cosign(TEXT, 1_679_315_147)
        data = base64.b64decode(line.split(" ")[2])
        assert data[4:12] == (1_679_315_147).to_bytes(8, "big")
        cosigner.key.public_key().verify(data[12:], b"cosignature/v1\ntime 1679315147\n" + TEXT.encode())

    def test_of_another_text_or_time_is_not_valid(self, cosigner):
        line = cosigner.cosign(TEXT, 5).rstrip("\n")
        with pytest.raises(BadNote, match="not valid"):
            cosigner.verifier().cosigned(line, TEXT.replace("20852163", "20852164"))
        later = cosigner.cosign(TEXT, 6).rstrip("\n")
        # The time of one line with the signature of the other.
        import base64

        mixed = base64.b64decode(later.split(" ")[2])[:12] + base64.b64decode(line.split(" ")[2])[12:]
        with pytest.raises(BadNote, match="not valid"):
            cosigner.verifier().cosigned(f"{line.rsplit(' ', 1)[0]} {base64.b64encode(mixed).decode()}", TEXT)

    def test_of_another_witness_is_passed_over(self, cosigner):
        other = Cosigner("witness.example/two", Ed25519PrivateKey.generate())
        assert cosigner.verifier().cosigned(other.cosign(TEXT, 5).rstrip("\n"), TEXT) is None


class TestWitnessKey:
    def test_is_told_and_read_back(self, cosigner):
        assert WitnessKey.parse(cosigner.verifier().text()) == cosigner.verifier()

    @pytest.mark.parametrize("text", ["", "a+b", "name+00000000+BAAA", "name+deadbeef+AQ=="])
    def test_that_is_none_is_refused(self, text):
        with pytest.raises(BadNote):
            WitnessKey.parse(text)

    def test_of_a_log_is_no_witness_key(self, kit):
        with pytest.raises(BadNote, match="not a witness"):
            WitnessKey.parse(kit.signer("decisions").verifier().text())
