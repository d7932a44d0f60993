"""Every error as an RFC 9457 problem that says what went wrong and what to do now."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from letopis.common.errors import Forbidden, Invalid, LetopisError, NotFound, Unauthenticated, Unavailable
from letopis.common.http.budget import OverBudget

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "2"
_REMEDIES = {
    401: "log in again (`letopis login`) and send the access token as `Authorization: Bearer ...`",
    404: "check the address and the id",
    405: "use one of the methods named in the header Allow",
    409: "do what the title says, then repeat with a new Idempotency-Key",
    413: "send less at once",
    422: "correct what is named and send the request again",
    429: "wait the seconds in Retry-After; ask the operators if your work needs a larger budget",
    500: "tell the operators the correlation id",
    503: "repeat after the time in Retry-After; the same Idempotency-Key makes repeating harmless",
}


class Problem(JSONResponse):
    media_type = MEDIA_TYPE


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    correlation_id: str = "",
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Problem:
    """The one shape of an error answer; `remedy` is always there."""
    body = {
        **(extra or {}),
        "type": f"urn:letopis:problem:{code}",
        "code": code,
        "title": title,
        "status": status,
        "detail": detail,
        "correlation_id": correlation_id,
    }
    body.setdefault("remedy", _REMEDIES.get(status, "correct the request and send it again"))
    named = dict(headers or {})
    if status == 401:
        named["WWW-Authenticate"] = 'Bearer realm="letopis"'
    if status == 503:
        named["Retry-After"] = RETRY_AFTER
    if status == 429:
        named["Retry-After"] = str((extra or {}).get("retry_after", RETRY_AFTER))
    return Problem(body, status, named)


def render(error: LetopisError, correlation_id: str = "") -> Problem:
    """The problem of one of our errors. What broke inside us is not told to the caller."""
    extra: dict[str, object] = dict(error.extra)
    if isinstance(error, Forbidden):
        extra["reasons"] = [asdict(reason) for reason in error.reasons]
        extra["authorization_id"] = error.authorization_id
        remedies = dict.fromkeys(reason.remedy for reason in error.reasons if reason.remedy)
        extra["remedy"] = "; ".join(remedies) or "ask the owner of the rule"
    if error.status >= 500 and not isinstance(error, Unavailable):
        return problem(error.status, error.code, error.title, error.title, correlation_id=correlation_id)
    return problem(error.status, error.code, error.title, error.detail, correlation_id=correlation_id, extra=extra)


def problems(*errors: type[LetopisError]) -> dict[int | str, dict[str, Any]]:
    """What an endpoint can answer beside success, for `responses=`: its own refusals and what any endpoint may say."""
    told: dict[int | str, dict[str, Any]] = {}
    kinds: list[type[LetopisError]] = [*errors, Unauthenticated, Forbidden, Invalid, OverBudget, Unavailable]
    for kind in kinds:
        entry = told.setdefault(kind.status, {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}})
        examples = entry["content"][MEDIA_TYPE]["examples"]
        examples[kind.code] = {"summary": kind.title, "value": _example(kind)}
        entry["description"] = "; ".join(examples)
    return told


def install(app: FastAPI) -> None:
    """The handlers; there are no others."""
    app.add_exception_handler(LetopisError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def correlation(request: Request) -> str:
    return str(request.scope.get("state", {}).get("correlation_id", ""))


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, LetopisError):
        raise error
    return render(error, correlation(request))


async def _validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    # The values stay out: they may be personal, and the sender has them.
    found = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in found[:5])
    return problem(
        422, Invalid.code, Invalid.title, detail, correlation_id=correlation(request), extra={"errors": found}
    )


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = {404: NotFound.code, 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "http")
    return problem(
        error.status_code,
        code,
        str(error.detail),
        str(error.detail),
        correlation_id=correlation(request),
        headers=error.headers,
    )


def _example(kind: type[LetopisError]) -> dict[str, Any]:
    return {
        "type": f"urn:letopis:problem:{kind.code}",
        "code": kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.title,
        "remedy": _REMEDIES.get(kind.status, "correct the request and send it again"),
    }
