"""Bundles: only what was signed, by the key we hold, is loaded."""

import base64
import gzip
import io
import json
import tarfile
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from letopis.common.policy.bundle import BundleRefused, build, new_key, public_half, verify_bundle
from letopis.common.policy.sources import Bundle

ED25519 = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def unpacked(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(stream.getvalue())


class TestVerify:
    @pytest.mark.parametrize("key", [new_key(), ED25519], ids=["P-256", "Ed25519"])
    def test_gives_back_what_was_built(self, demo: Bundle, key: bytes) -> None:
        assert verify_bundle(build(demo, key), public_half(key)) == demo

    def test_refuses_another_key(self, demo: Bundle) -> None:
        with pytest.raises(BundleRefused, match="signature"):
            verify_bundle(build(demo, new_key()), public_half(new_key()))

    def test_refuses_a_key_of_another_kind(self, demo: Bundle) -> None:
        with pytest.raises(BundleRefused, match="signature"):
            verify_bundle(build(demo, new_key()), public_half(ED25519))

    @pytest.mark.parametrize("name", ["/letopis/gate.rego", "/data.json", "/.manifest"])
    def test_refuses_a_changed_file(self, demo: Bundle, name: str) -> None:
        key = new_key()
        files = unpacked(build(demo, key))
        files[name] += b" "
        with pytest.raises(BundleRefused, match="not the file that was signed"):
            verify_bundle(packed(files), public_half(key))

    def test_refuses_an_added_and_a_missing_file(self, demo: Bundle) -> None:
        key = new_key()
        files = unpacked(build(demo, key))
        with pytest.raises(BundleRefused, match="differ"):
            verify_bundle(packed(files | {"/letopis/more.rego": b"package more"}), public_half(key))
        del files["/letopis/gate.rego"]
        with pytest.raises(BundleRefused, match="differ"):
            verify_bundle(packed(files), public_half(key))

    def test_refuses_a_token_that_names_no_algorithm(self, demo: Bundle) -> None:
        key = new_key()
        files = unpacked(build(demo, key))
        token = json.loads(files["/.signatures.json"])["signatures"][0]
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        files["/.signatures.json"] = json.dumps({"signatures": [f"{head}.{token.split('.')[1]}."]}).encode()
        with pytest.raises(BundleRefused, match="signature"):
            verify_bundle(packed(files), public_half(key))

    def test_refuses_a_missing_signature_and_rubbish(self, demo: Bundle) -> None:
        key = new_key()
        files = unpacked(build(demo, key))
        del files["/.signatures.json"]
        for archive in (packed(files), b"rubbish", gzip.compress(b"rubbish" * 200), packed({})):
            with pytest.raises(BundleRefused):
                verify_bundle(archive, public_half(key))

    def test_refuses_a_revision_of_other_contents(self, demo: Bundle) -> None:
        key = new_key()
        lying = Bundle(
            modules=demo.modules | {"letopis/more.rego": "package more"}, data=demo.data, revision=demo.revision
        )
        with pytest.raises(BundleRefused, match="revision"):
            verify_bundle(build(lying, key), public_half(key))


class TestFormat:
    """As OPA reads it: names without a leading slash, SHA-256 of bytes for Rego and of sorted JSON for data."""

    def test_lists_every_file_with_its_hash(self, demo: Bundle) -> None:
        files = unpacked(build(demo, new_key()))
        token = json.loads(files["/.signatures.json"])["signatures"][0]
        part = token.split(".")[1]
        listed = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["files"]
        del files["/.signatures.json"]
        assert {one["name"]: one["hash"] for one in listed} == {
            name.lstrip("/"): sha256(data).hexdigest() for name, data in files.items()
        }
        assert json.loads(files["/.manifest"]) == {
            "revision": demo.revision,
            "roots": ["bundle", "letopis"],
            "rego_version": 1,
        }

    def test_equal_policy_makes_equal_bytes(self, demo: Bundle) -> None:
        # Ed25519 signatures are deterministic, those of P-256 are not.
        assert build(demo, ED25519) == build(demo, ED25519)
