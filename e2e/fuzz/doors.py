"""Requests generated from a service's OpenAPI document, sent to the running service, and what its answers broke."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import schemathesis
from e2e.journey.data import PURPOSE
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

# What the document promises; 503 is promised too, so a fault is what is neither that nor a refusal.
PROMISES = (
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)
METHODS = {"get", "post", "put", "delete", "patch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One request that was answered as it must not be."""

    operation: str
    what: str
    request: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.what}\n    {self.request}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a service is tried: who asks which action, ids that exist, and how many requests an operation gets.

    With a `chance` the requests are other ones for every number, and whatever the document forbids MUST be refused.
    """

    url: str
    document: dict[str, Any]
    token: Callable[[str], str]
    known: dict[str, list[str]]
    examples: int
    chance: int | None = None

    def run(self) -> tuple[int, list[Finding]]:
        """How many requests were sent, and what they found; every operation of the document is tried."""
        schema = schemathesis.openapi.from_dict(_without_ours(self.document))
        sent, found = 0, []
        with httpx.Client(base_url=self.url, timeout=120, trust_env=False) as client:
            for one in schema.get_all_operations():
                count, findings = self._operation(one.ok(), client)
                sent += count
                found += findings
        return sent, found

    def _operation(self, operation: Any, client: httpx.Client) -> tuple[int, list[Finding]]:
        label, found, sent = operation.label, [], 0
        action = operation.definition.raw.get("x-letopis-action", "")
        modes = [
            operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ]

        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            derandomize=self.chance is None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(modes), data=st.data())
        def attempt(case: Any, data: Any) -> None:
            nonlocal sent
            sent += 1
            self._known(case, data)
            answer = self._send(case, action, client)
            broken = self._broken(case, answer)
            found.extend(Finding(operation=label, what=what, request=_curl(answer)) for what in broken)

        (attempt if self.chance is None else seed(self.chance)(attempt))()
        return sent, _first_of_each(found)

    def _known(self, case: Any, data: Any) -> None:
        """Now and then an id that exists, else every door would only say that there is no such thing."""
        valid = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
        for name in case.path_parameters or {}:
            if valid and name in self.known and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(self.known[name]))

    def _send(self, case: Any, action: str, client: httpx.Client) -> Any:
        headers = {"Letopis-Purpose": PURPOSE, **(case.headers or {})}
        if action:
            headers["Authorization"] = f"Bearer {self.token(action)}"
        if case.method.lower() not in {"get", "head"}:
            headers.setdefault("Idempotency-Key", str(uuid4()))
        case.headers = headers
        return case.call(base_url=self.url, timeout=120)

    def _broken(self, case: Any, answer: Any) -> Iterator[str]:
        if answer.status_code >= 500 and answer.status_code != 503:
            yield f"{answer.status_code} {answer.text[:200]}"
            return
        promised = list(PROMISES)
        # On the wire nothing is left of blanks around a value, and an empty header is none.
        blank = any(not value or value != value.strip() for value in (case.headers or {}).values())
        if self.chance is not None and not blank:
            promised.append(checks.negative_data_rejection)
        try:
            case.validate_response(answer, checks=promised)
        except FailureGroup as group:
            for failure in group.exceptions:
                yield f"{type(failure).__name__}: {str(failure)[:500]}"
        except Failure as failure:
            yield f"{type(failure).__name__}: {str(failure)[:500]}"


def _without_ours(document: dict[str, Any]) -> dict[str, Any]:
    """The document less what is sent by `_send`, and less waiting for positions that never come."""
    left = json.loads(json.dumps(document))
    gone = {"#/components/parameters/MinPosition"}
    for methods in left["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
            operation["parameters"] = [one for one in operation["parameters"] if one.get("$ref") not in gone]
    return left


def _first_of_each(found: list[Finding]) -> list[Finding]:
    kept: dict[str, Finding] = {}
    for one in found:
        kept.setdefault(one.what[:60], one)
    return list(kept.values())


def _curl(answer: Any) -> str:
    asked = answer.request
    body = asked.body if asked.body is not None else b""
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "backslashreplace")
    return json.dumps({"method": asked.method, "url": asked.url, "body": text[:400]}, ensure_ascii=True)
