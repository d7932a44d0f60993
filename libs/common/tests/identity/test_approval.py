"""The signed statement of an approval: its bytes never change, and every field is bound."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.common.identity.approval import ApprovalStatement, key_id, sign, statement_bytes, verify

# Test 1 of RFC 8032, section 7.1: secret and public key.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
STATEMENT = ApprovalStatement(
    promotion="0198f0a2-0000-7000-8000-000000000001",
    verdict="approve",
    version_digest="9f3c" * 16,
    environment_digest="0b1d" * 16,
    policy_revision="rev-7",
    person='Борис "B"\n',
    key_id="21fe31dfa154a261",
)
GOLDEN = "J/GZwpv8ZCGcm/FGhfSnzXUVNMtBAPGHnq2ixIqaFeAKH5V3m/XziEceDpobvkRpn/3Bm8nWcYW/Lll0qmKLCw=="


class TestStatement:
    def test_golden_bytes(self):
        assert key_id(PUBLIC) == "21fe31dfa154a261"
        assert statement_bytes(STATEMENT).decode() == (
            "letopis-approval-v1\n"
            '{"environment_digest":"' + "0b1d" * 16 + '","key_id":"21fe31dfa154a261","person":"Борис \\"B\\"\\n",'
            '"policy_revision":"rev-7","promotion":"0198f0a2-0000-7000-8000-000000000001","verdict":"approve",'
            '"version_digest":"' + "9f3c" * 16 + '"}'
        )

    def test_golden_signature(self):
        # Ed25519 is deterministic, so the signature is a vector for other implementations too.
        assert sign(STATEMENT, Ed25519PrivateKey.from_private_bytes(SECRET)) == GOLDEN


class TestVerify:
    def test_accepts_its_own(self):
        assert verify(STATEMENT, GOLDEN, b64encode(PUBLIC).decode())

    @pytest.mark.parametrize("name", [*ApprovalStatement.__dataclass_fields__])
    def test_every_field_is_bound(self, name):
        changed = replace(STATEMENT, **{name: "other"})
        assert not verify(changed, GOLDEN, b64encode(PUBLIC).decode())

    @pytest.mark.parametrize("signature", ["", "AAAA", "not base64", GOLDEN[:-4], "é"])
    def test_refuses_what_is_no_signature(self, signature):
        assert not verify(STATEMENT, signature, b64encode(PUBLIC).decode())

    @pytest.mark.parametrize("key", ["", "AAAA", "not base64", b64encode(bytes(32)).decode()])
    def test_refuses_what_is_no_key(self, key):
        assert not verify(STATEMENT, GOLDEN, key)

    def test_a_statement_is_signed_by_the_key_it_names(self):
        with pytest.raises(ValueError, match="another key"):
            sign(replace(STATEMENT, key_id="0" * 16), Ed25519PrivateKey.from_private_bytes(SECRET))
