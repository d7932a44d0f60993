"""The bundle that engines load: a deterministic archive in OPA's format, signed, verified before anything reads it."""

import gzip
import io
import json
import tarfile
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from letopis.common.policy.sources import Bundle, PolicyError, revision_of
from letopis.common.serialization import canonical

LARGEST = 64 * 1024 * 1024
ROOTS = ("bundle", "letopis")
SIGNATURES = ".signatures.json"
MANIFEST = ".manifest"


class BundleRefused(PolicyError):
    """The bundle is not what its signer signed, or not signed by the key we trust."""

    code = "policy.bundle_refused"
    title = "The policy bundle is refused"


def new_key() -> bytes:
    """A private signing key (P-256, PEM): the kind that every OPA release can verify as well."""
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_half(private_pem: bytes) -> bytes:
    """The public key that belongs to a private one, PEM."""
    key = load_pem_private_key(private_pem, password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def build(bundle: Bundle, private_pem: bytes, *, key_id: str = "policy") -> bytes:
    """The archive (.tar.gz), the same bytes for the same policy apart from the signature.

    Hashes are OPA's: of the bytes for Rego, of sorted compact JSON for the rest, which is how we write it.
    """
    manifest = {"revision": bundle.revision, "roots": list(ROOTS), "rego_version": 1}
    files = {name: text.encode() for name, text in bundle.modules.items()}
    files |= {"data.json": canonical(bundle.data), MANIFEST: canonical(manifest)}
    listed = [{"name": name, "hash": sha256(files[name]).hexdigest(), "algorithm": "SHA-256"} for name in sorted(files)]
    algorithm, key = _signer(private_pem)
    header = {"alg": algorithm, "typ": "JWT", "kid": key_id}
    token = jws.serialize_compact(header, canonical({"files": listed}), key, algorithms=[algorithm])
    files[SIGNATURES] = canonical({"signatures": [token]})
    return _archive(files)


def verify_bundle(source: Path | bytes, public_pem: bytes) -> Bundle:
    """The bundle of an archive, or BundleRefused: every file signed, none added, the revision that of the contents."""
    files = _unpack(source if isinstance(source, bytes) else _read(source))
    signed = _signed(files, public_pem)
    contents = {name: data for name, data in files.items() if name != SIGNATURES}
    if set(signed) != set(contents):
        odd = sorted(set(signed) ^ set(contents))
        raise BundleRefused(f"signed files and files present differ: {', '.join(odd)}")
    for name, data in contents.items():
        if sha256(data).hexdigest() != signed[name]:
            raise BundleRefused(f"{name} is not the file that was signed")
    return _bundle(contents)


def _bundle(contents: dict[str, bytes]) -> Bundle:
    try:
        manifest, data = json.loads(contents.pop(MANIFEST)), json.loads(contents.pop("data.json"))
        modules = {name: text.decode() for name, text in contents.items()}
        tables = {key: value for key, value in data["bundle"].items() if key != "revision"}
        named = {manifest["revision"], data["bundle"]["revision"], revision_of(modules, tables)}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BundleRefused(f"the archive is not a policy bundle of ours: {error!r}") from error
    if len(named) != 1:
        raise BundleRefused("the revision does not name these contents")
    if odd := sorted(name for name in modules if not name.endswith(".rego")):
        raise BundleRefused(f"{', '.join(odd)}: neither a module nor the data")
    return Bundle(modules=modules, data=data, revision=named.pop())


def _signed(files: dict[str, bytes], public_pem: bytes) -> dict[str, str]:
    algorithm, key = _verifier(public_pem)
    try:
        (token,) = json.loads(files[SIGNATURES])["signatures"]
        # The algorithm is pinned by the key we hold, never taken from the token.
        payload = jws.deserialize_compact(token, key, algorithms=[algorithm]).payload
        listed = json.loads(payload)["files"]
        signed = {one["name"]: one["hash"] for one in listed if one["algorithm"] == "SHA-256"}
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise BundleRefused(f"the signature does not hold: {type(error).__name__}") from error
    if len(signed) != len(listed):
        raise BundleRefused("a file is signed twice or by an unknown hash")
    return signed


def _signer(private_pem: bytes) -> tuple[str, ECKey | OKPKey]:
    key = load_pem_private_key(private_pem, password=None)
    if isinstance(key, Ed25519PrivateKey):
        return "Ed25519", OKPKey.import_key(private_pem)
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return "ES256", ECKey.import_key(private_pem)
    raise PolicyError("a bundle is signed by an Ed25519 or a P-256 key")


def _verifier(public_pem: bytes) -> tuple[str, ECKey | OKPKey]:
    key = load_pem_public_key(public_pem)
    if isinstance(key, Ed25519PublicKey):
        return "Ed25519", OKPKey.import_key(public_pem)
    return "ES256", ECKey.import_key(public_pem)


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(f"/{name}")
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), mtime=0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleRefused(f"the bundle cannot be read: {error.strerror}") from error


def _unpack(packed: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with gzip.open(io.BytesIO(packed)) as stream:
            plain = stream.read(LARGEST + 1)
        if len(plain) > LARGEST:
            raise BundleRefused("the bundle is larger than 64 MB unpacked")
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for entry in archive:
                name, content = entry.name.lstrip("/"), archive.extractfile(entry) if entry.isreg() else None
                if content is None or name in files or ".." in name.split("/"):
                    raise BundleRefused(f"{entry.name!r}: not a plain file, or there twice")
                files[name] = content.read()
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise BundleRefused("the archive is damaged") from error
    return files


def summary(bundle: Bundle) -> dict[str, Any]:
    """What a person wants to see of a bundle."""
    return {
        "revision": bundle.revision,
        "modules": len(bundle.modules),
        "actions": len(bundle.data["bundle"]["actions"]),
        "bytes": len(msgspec.json.encode(bundle.modules)),
    }
