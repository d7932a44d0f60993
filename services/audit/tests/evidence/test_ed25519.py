"""Our Ed25519 against the vectors of RFC 8032 section 7.1 and against OpenSSL."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.audit.evidence.verifier.ed25519 import ORDER, P, verify

# Secret key and message of RFC 8032 section 7.1; the public key and signature are compared with the RFC's.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


class TestVerify:
    @pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
    def test_holds_for_the_rfc(self, secret, public, message, signature):
        assert verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        assert key.public_key().public_bytes_raw().hex() == public

    @settings(max_examples=25, deadline=None)
    @given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.data())
    def test_agrees_with_openssl_and_refuses_any_change(self, secret, message, data):
        key = Ed25519PrivateKey.from_private_bytes(secret)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert verify(public, message, signature)
        at, bit = data.draw(st.integers(0, 63)), 1 << data.draw(st.integers(0, 7))
        assert not verify(public, message, signature[:at] + bytes([signature[at] ^ bit]) + signature[at + 1 :])
        assert not verify(public, message + b"x", signature)
        other = Ed25519PrivateKey.from_private_bytes(bytes(secret[::-1]) if secret != secret[::-1] else bytes(32))
        if other.public_key().public_bytes_raw() != public:
            assert not verify(other.public_key().public_bytes_raw(), message, signature)

    def test_refuses_the_second_spelling_of_a_scalar(self):
        """S + L satisfies the equation; RFC 8032 section 5.1.7 refuses it."""
        _, public, message, signature = VECTORS[0]
        raw = bytes.fromhex(signature)
        larger = int.from_bytes(raw[32:], "little") + ORDER
        assert not verify(bytes.fromhex(public), bytes.fromhex(message), raw[:32] + larger.to_bytes(32, "little"))

    @pytest.mark.parametrize("key", [(P + 1).to_bytes(32, "little"), (1 | 1 << 255).to_bytes(32, "little"), b"short"])
    def test_refuses_points_that_are_no_keys(self, key):
        _, _, message, signature = VECTORS[0]
        assert not verify(key, bytes.fromhex(message), bytes.fromhex(signature))
