"""Masks of columns: tokens that join within a purpose, years, nulls; one place where obligations become values.

A token is AES-SIV (RFC 5297): deterministic, so equal values stay joinable, and bound to the kind of value and to the
purpose's domain, so that tokens of two purposes never meet. Values are padded to 16 bytes, which hides short lengths.
"""

from base64 import b32decode, b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from letopis.common.errors import Invalid

Treatment = Literal["clear", "token", "year", "null", "deny"]
TREATMENTS: tuple[str, ...] = get_args(Treatment)
_PREFIX = "tok_"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one purpose domain."""

    domain: str
    key: bytes

    @property
    def key_id(self) -> str:
        """Names the key without telling it; part of what makes a data set."""
        return sha256(b"letopis-token-key-id-v1\n" + self.key).hexdigest()[:16]

    def token(self, kind: str, value: str) -> str:
        """The token of one value; equal for equal (domain, kind, value)."""
        return self.tokens(kind, [value])[0] or ""

    def tokens(self, kind: str, values: Sequence[str | None]) -> list[str | None]:
        cipher, bound = AESSIV(self.key), [b"letopis-token-v1", kind.encode()]
        return [None if value is None else _spell(cipher.encrypt(_pad(value.encode()), bound)) for value in values]

    def reveal(self, kind: str, token: str) -> str:
        """The value behind a token of this domain; Invalid if it is none."""
        text = token.removeprefix(_PREFIX).upper()
        try:
            sealed = b32decode(text + "=" * (-len(text) % 8))
            return _unpad(AESSIV(self.key).decrypt(sealed, [b"letopis-token-v1", kind.encode()])).decode()
        except Exception as error:
            raise Invalid("this is no token of that kind and purpose") from error


def tokens_of(master: bytes, domain: str) -> Tokens:
    """The tokens of a purpose domain, from the service's master secret (HKDF-SHA256, RFC 5869)."""
    if len(master) < 32:
        raise Invalid("the master secret of tokens has fewer than 32 bytes")
    derived = HKDF(algorithm=SHA256(), length=64, salt=b"letopis-token-v1", info=domain.encode()).derive(master)
    return Tokens(domain, derived)


def masked(table: Any, treatments: Mapping[str, str], kinds: Mapping[str, str], tokens: Tokens) -> Any:
    """An Arrow table with each column as its treatment says; a column without a treatment, or denied, is left out."""
    import pyarrow as pa

    arrays, names = [], []
    for name in table.column_names:
        treatment = treatments.get(name, "deny")
        if treatment == "deny":
            continue
        column = table.column(name)
        if treatment != "clear":
            column = _mask(column, treatment, kinds.get(name) or name, tokens)
        arrays.append(column)
        names.append(name)
    return pa.table(arrays, names=names)


def _mask(column: Any, treatment: str, kind: str, tokens: Tokens) -> Any:
    import pyarrow as pa

    if treatment == "null":
        return pa.nulls(len(column), column.type)
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    if treatment == "token":
        changed = pa.array(
            tokens.tokens(kind, [None if value is None else str(value) for value in values]), pa.string()
        )
    elif treatment == "year":
        changed = pa.array([_year(value) for value in values], pa.int32())
    else:
        raise Invalid(f"there is no treatment {treatment!r}")
    return changed.take(encoded.indices)


def _year(value: object) -> int | None:
    match value:
        case date():
            return value.year
        case str() if len(value) >= 4 and value[:4].isdecimal():
            return int(value[:4])
        case _:
            return None


def _pad(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


def _unpad(data: bytes) -> bytes:
    return data[: data.rindex(b"\x80")]


def _spell(sealed: bytes) -> str:
    return _PREFIX + b32encode(sealed).decode().rstrip("=").lower()
