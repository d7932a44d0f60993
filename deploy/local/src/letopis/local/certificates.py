"""Certificates of an installation: an authority of its own, and one certificate for each service, all generated.

A bank brings its own authority; the files have the same names and shapes.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from letopis.common.private_files import make_private_folder, write_private

AUTHORITY_LASTS = timedelta(days=3650)
LASTS = timedelta(days=90)
# Clocks of two machines differ; a certificate is good from a little before it was made.
EARLIER = timedelta(minutes=5)


def ensure_authority(folder: Path, now: datetime | None = None) -> Path:
    """The authority's certificate (`authority.pem`), made with its key if there is none."""
    make_private_folder(folder)
    path = folder / "authority.pem"
    if not path.exists():
        key, name = ec.generate_private_key(ec.SECP256R1()), _name("Letopis local authority")
        made = now or datetime.now(UTC)
        builder = _begun(name, name, key.public_key(), made, AUTHORITY_LASTS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        write_private(folder / "authority.key", _pem(key))
        write_private(path, builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode())
    return path


def issue(folder: Path, service: str, hosts: tuple[str, ...], now: datetime | None = None) -> tuple[Path, Path]:
    """A new certificate and key of a service, for both ends of a connection; the files `<service>.pem` and `.key`."""
    authority = x509.load_pem_x509_certificate(ensure_authority(folder, now).read_bytes())
    signing = load_pem_private_key((folder / "authority.key").read_bytes(), None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise TypeError("authority.key is not an elliptic curve key")
    key, made = ec.generate_private_key(ec.SECP256R1()), now or datetime.now(UTC)
    builder = _begun(_name(service), authority.subject, key.public_key(), made, LASTS)
    names = [_host(one) for one in hosts] + [x509.UniformResourceIdentifier(f"urn:letopis:service:{service}")]
    ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(ends), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    builder = builder.add_extension(signer, critical=False)
    certificate, private = folder / f"{service}.pem", folder / f"{service}.key"
    write_private(private, _pem(key))
    write_private(certificate, builder.sign(signing, SHA256()).public_bytes(Encoding.PEM).decode())
    return certificate, private


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, made: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(made - EARLIER).not_valid_after(made + lasts)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
