"""OpenAPI of a service's doors: what FastAPI derives, completed by what the guard adds to every route."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from letopis.common.contracts import told
from letopis.common.errors import Conflict, Forbidden, LetopisError, StreamClosed, Unauthenticated, Unavailable
from letopis.common.http.problems import MEDIA_TYPE, problems
from letopis.common.http.routing import Rule, Table

READS = frozenset({"get", "head"})
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_TEXT = {"type": "string"}
# What the guard itself may say, beside what every endpoint lists.
_GUARD_CODES = {
    "401": ("principal.over", "token.refused"),
    "413": ("body.too_large",),
    "422": ("address.invalid", "body.invalid", "header.invalid", "idempotency.key_reused"),
    "503": (
        "authorization.not_recorded",
        "deadline",
        "identity.provider_away",
        "projecting.building",
        "sealing.keys_away",
        "view.behind",
    ),
}


def operation_id(route: APIRoute) -> str:
    """The name of an operation in generated clients: the room and the endpoint."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def openapi(app: FastAPI, table: Table) -> dict[str, Any]:
    """The document of an application whose routes stand in `table`."""
    document = get_openapi(
        title=app.title,
        version=told.VERSION,
        description=told.DOORS,
        routes=app.routes,
        license_info={"name": told.LICENCE["name"], "identifier": told.LICENCE["name"]},
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"bearer": told.BEARER}
    components["headers"] = _HEADERS
    components["parameters"] = _PARAMETERS
    kinds = components.setdefault("schemas", {})
    kinds["Problem"] = _SHAPE
    for stale in ("HTTPValidationError", "ValidationError"):
        kinds.pop(stale, None)
    for rule in table.rules:
        path = document["paths"][_plain(rule.path)]
        _complete(path[rule.method.lower()], rule)
    _share(document)
    return document


def _share(document: dict[str, Any]) -> None:
    """What operations have in common is told once: the titles of problems, and answers that any of them may give."""
    components = document["components"]
    examples: dict[str, Any] = {}
    seen: dict[str, list[dict[str, Any]]] = {}
    for operation in operations(document):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get(MEDIA_TYPE)
            if content is not None:
                examples |= content.pop("examples", {})
                seen.setdefault(status, []).append(response)
    components["examples"] = dict(sorted(examples.items()))
    components["responses"] = {}
    for status, responses in seen.items():
        count = [responses.count(one) for one in responses]
        usual = dict(responses[count.index(max(count))])
        components["responses"][f"Problem{status.title()}"] = usual
        for response in responses:
            if response == usual:
                response.clear()
                response["$ref"] = f"#/components/responses/Problem{status.title()}"


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All operations of a document, path by path."""
    for methods in document["paths"].values():
        yield from methods.values()


def _plain(path: str) -> str:
    """`{path:path}` stands as `{path}` in the document."""
    return "/".join(part.partition(":")[0] + "}" if ":" in part else part for part in path.split("/"))


def _complete(operation: dict[str, Any], rule: Rule) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters.append(_parameter("LetopisCorrelationId"))
    responses = operation["responses"]
    if not rule.public:
        operation["security"] = [{"bearer": []}]
        operation["x-letopis-action"] = rule.action
        parameters += [_parameter("LetopisPurpose"), _parameter("MinPosition")]
        may: list[type[LetopisError]] = [Unauthenticated, Forbidden, Unavailable]
        if rule.method.lower() not in READS:
            parameters.append(_parameter("IdempotencyKey"))
            may += [Conflict, StreamClosed]
        for status, entry in problems(*may).items():
            _merge(responses.setdefault(str(status), {}), entry)
    if _derived(responses.get("422", {})):
        del responses["422"]
    if rule.public and (parameters[:-1] or "requestBody" in operation):
        _merge(responses.setdefault("422", {}), problems()[422])
    if "requestBody" in operation:
        responses.setdefault("413", {"description": "body.too_large", "content": {MEDIA_TYPE: {}}})
    for status, response in responses.items():
        if MEDIA_TYPE in response.get("content", {}):
            _problem(status, response)
        else:
            response.setdefault("headers", {}).update(_answered(status, rule))
    responses["default"] = {"description": "a fault of ours", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}


def _derived(response: dict[str, Any]) -> bool:
    """Whether FastAPI put its own validation error here, which our handler never sends."""
    return "application/json" in response.get("content", {})


def _merge(response: dict[str, Any], entry: dict[str, Any]) -> None:
    if _derived(response):
        response.clear()
    content = response.setdefault("content", {}).setdefault(MEDIA_TYPE, {"examples": {}})
    content.setdefault("examples", {}).update(entry["content"][MEDIA_TYPE]["examples"])
    response["description"] = "; ".join(content["examples"])


def _problem(status: str, response: dict[str, Any]) -> None:
    """The problem's shape with the codes this operation answers; more may be added, none is taken away."""
    content = response["content"][MEDIA_TYPE]
    codes = sorted({*content.get("examples", ()), *_GUARD_CODES.get(status, ())})
    content["schema"] = {
        "allOf": [
            _PROBLEM,
            {"properties": {"code": {"enum": codes, "x-extensible": True}, "status": {"const": int(status)}}},
        ]
    }
    response["description"] = "; ".join(codes)
    response["headers"] = {"Letopis-Correlation-Id": _header("LetopisCorrelationId")}
    if status == "401":
        response["headers"]["WWW-Authenticate"] = _header("WWWAuthenticate")
    if status == "503":
        response["headers"]["Retry-After"] = _header("RetryAfter")


def _answered(status: str, rule: Rule) -> dict[str, Any]:
    found = {"Letopis-Correlation-Id": _header("LetopisCorrelationId")}
    if status == "201" and not rule.public:
        found["Letopis-Position"] = _header("LetopisPosition")
    return found


def _parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _asked(name: str, pattern: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern} if pattern else {"type": "string"}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


_PARAMETERS = {
    "LetopisPurpose": _asked(
        "Letopis-Purpose",
        r"^[A-Za-z0-9][A-Za-z0-9 _.:/\-]{0,127}$",
        "what the caller does this for; grants are bound to purposes",
    ),
    "IdempotencyKey": _asked(
        "Idempotency-Key",
        r"^[\x21-\x7e]{1,128}$",
        "repeating the same request with the same key gives the first answer again",
    ),
    "MinPosition": _asked(
        "Min-Position",
        r"^[a-z][a-z0-9_\-]*/[0-9]{1,15}(, ?[a-z][a-z0-9_\-]*/[0-9]{1,15})*$",
        "ledger/position pairs that the answer must know of; waits up to five seconds, then 503",
    ),
    # A value that cannot be used (other characters than A-Za-z0-9._:- or more than 64) is replaced, not refused.
    "LetopisCorrelationId": _asked(
        "Letopis-Correlation-Id",
        "",
        "the caller's own id of what belongs together; else of traceparent, else a new one",
    ),
}
_HEADERS = {
    "LetopisCorrelationId": {"schema": _TEXT, "description": "tell it to the operators when you ask about an answer"},
    "LetopisPosition": {"schema": _TEXT, "description": "ledger/position of the last fact of this command"},
    "RetryAfter": {"schema": _TEXT, "description": "seconds"},
    "WWWAuthenticate": {"schema": _TEXT},
}
_SHAPE = {
    "title": "Problem",
    "description": "RFC 9457: what went wrong and what to do now.",
    "type": "object",
    "required": ["type", "code", "title", "status", "detail", "remedy"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:letopis:problem:"},
        "code": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "remedy": _TEXT | {"description": "what the caller can do now"},
        "correlation_id": _TEXT,
        "authorization_id": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": _TEXT, "message": _TEXT},
            },
        },
        "reasons": {
            "type": "array",
            "description": "which rules denied, whose they are, and how to proceed",
            "items": {
                "type": "object",
                "required": ["rule", "owner", "message", "remedy"],
                "properties": dict.fromkeys(("rule", "owner", "message", "remedy"), _TEXT),
            },
        },
    },
}
