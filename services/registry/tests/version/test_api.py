"""Versions over HTTP: artifacts by digest, the same bundle the same version, a signature anybody can check."""

from base64 import b64decode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class TestUpload:
    async def test_refuses_bytes_that_are_not_what_the_name_says(self, staffed):
        answer = await staffed.send("PUT", f"/v1/artifacts/{sha256(b'x').hexdigest()}", "anna", content=b"y")
        assert answer.status_code == 422


class TestRegister:
    async def test_the_same_bundle_is_the_same_version(self, staffed):
        assert await staffed.version() == await staffed.version() == "credit.1"
        assert await staffed.version(b"[]") == "credit.2"

    async def test_the_signature_verifies_with_the_published_key(self, staffed):
        told = (await staffed.get(f"/v1/versions/{await staffed.version()}", "irina")).json()
        key = (await staffed.client.get("/v1/keys")).json()
        assert told["key_id"] == key["key_id"]
        public = Ed25519PublicKey.from_public_bytes(b64decode(key["public_key"]))
        public.verify(b64decode(told["signature"]), b"letopis-version-v1\n" + told["digest"].encode())

    async def test_refuses_artifacts_that_were_never_uploaded(self, staffed):
        manifest = (await staffed.get(f"/v1/versions/{await staffed.version()}", "anna")).json()["manifest"]
        missing = {"path": "model.json", "sha256": "0" * 64, "bytes": 2}
        answer = await staffed.post(
            "/v1/versions", "anna", {"model_id": "credit", "manifest": manifest | {"artifacts": [missing]}}
        )
        assert answer.status_code == 422
        assert "upload it first" in answer.json()["detail"]

    async def test_a_draft_is_free(self, staffed):
        assert await staffed.version(owner="", documents=[], monitors=[]) == "credit.1"
