"""The training set of a version, read at the features service in the caller's name: the read is theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx

from letopis.common.errors import Forbidden, Invalid, NotFound, ObjectDamaged, Reason, Unauthenticated, Unavailable

# A training set of a hundred thousand rows comes in a few seconds; the read is recorded before its first byte.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """Columns by name, [rows] each; `read` names the recorded read, `files` the SHA-256 of what came."""

    columns: Mapping[str, Sequence[Any]]
    files: tuple[str, ...]
    read: str


async def read_training_set(
    http: httpx.AsyncClient, features_url: str, dataset_id: str, *, token: str, purpose: str
) -> TrainingSet:
    """Ask for the manifest, then for the rows, and check that they are what the manifest promises.

    Forbidden, NotFound and Unauthenticated are passed on in the words of features; Unavailable if it is away.
    """
    headers = {"Authorization": f"Bearer {token}", "Letopis-Purpose": purpose}
    address = f"{features_url}/v1/datasets/{dataset_id}"
    try:
        manifest = _answered(await http.get(address, headers=headers, timeout=PATIENCE)).json()
        answer = _answered(await http.get(f"{address}/data", headers=headers, timeout=PATIENCE))
    except httpx.HTTPError as error:
        raise Unavailable(f"features cannot be asked for the training set: {type(error).__name__}") from error
    promised = tuple(file["sha256"] for file in manifest["files"])
    actual = sha256(answer.content).hexdigest()
    if promised != (actual,):
        raise ObjectDamaged(f"training set {dataset_id} came as {actual}, its manifest says {', '.join(promised)}")
    read = answer.headers.get("Letopis-Position", "")
    return TrainingSet(columns=_columns(answer.content), files=promised, read=read)


def _columns(content: bytes) -> Mapping[str, Sequence[Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    columns: Mapping[str, Sequence[Any]] = parquet.read_table(pa.BufferReader(content)).to_pydict()
    return columns


def _answered(answer: httpx.Response) -> httpx.Response:
    """The answer, or what it says in our own errors."""
    if answer.status_code == httpx.codes.OK:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = str(problem.get("detail") or problem.get("title") or f"features answered {answer.status_code}")
    match answer.status_code:
        case httpx.codes.UNAUTHORIZED:
            raise Unauthenticated(detail)
        case httpx.codes.FORBIDDEN:
            names = ("rule", "owner", "message", "remedy")
            told = [one for one in problem.get("reasons", []) if isinstance(one, dict)]
            reasons = [Reason(**{name: str(one.get(name, "")) for name in names}) for one in told]
            raise Forbidden(detail, reasons=reasons, authorization_id=str(problem.get("authorization_id", "")))
        case httpx.codes.NOT_FOUND:
            raise NotFound(detail)
        case status if status < httpx.codes.INTERNAL_SERVER_ERROR:
            raise Invalid(f"the training set cannot be read: {detail}")
        case _:
            raise Unavailable(detail)
