"""Which action guards which route: read once at start, so that a route without one does not start."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from letopis.common.errors import LetopisError

F = TypeVar("F", bound=Callable[..., Any])

BODY_LIMIT = 8 * 1024 * 1024
DEADLINE = 30.0
_MARK = "__letopis_public__"


class RouteWithoutAction(LetopisError):
    """A route that nobody guards; the service does not start."""

    code = "http.route_without_action"
    title = "A route names no action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the guard knows of a route before anything is parsed. `action` is "" for a public one."""

    method: str
    path: str
    pattern: re.Pattern[str]
    action: str
    body_limit: int = BODY_LIMIT
    streamed: bool = False
    deadline: float = DEADLINE

    @property
    def public(self) -> bool:
        return not self.action


@dataclass(frozen=True, slots=True)
class Table:
    """All routes of an application."""

    rules: tuple[Rule, ...]

    def find(self, method: str, path: str) -> Rule | None:
        """The route that answers; None if there is no such path (or not with this method)."""
        method = "GET" if method == "HEAD" else method
        return next((rule for rule in self.rules if rule.method == method and rule.pattern.match(path)), None)

    @property
    def public(self) -> list[str]:
        return [f"{rule.method} {rule.path}" for rule in self.rules if rule.public]


def public(endpoint: F) -> F:
    """Marks an endpoint that answers without a token: health, metrics, JWKS, login, checkpoints, hash tiles."""
    setattr(endpoint, _MARK, True)
    return endpoint


def table(app: FastAPI, service: str) -> Table:
    """Every route with its action, or RouteWithoutAction; actions are of the service itself."""
    rules: list[Rule] = []
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            guards = list(_guards(getattr(route, "dependant", None)))
            if getattr(route.endpoint, _MARK, False) and not guards:
                rules.append(_rule(route, method, None))
            elif len(guards) == 1 and guards[0].action.startswith(f"{service}."):
                rules.append(_rule(route, method, guards[0]))
            else:
                actions = ", ".join(guard.action for guard in guards) or "none"
                raise RouteWithoutAction(f"{method} {route.path} must have one action of {service}, it has {actions}")
        if route.methods is None:
            raise RouteWithoutAction(f"{route.path or route} is a mount or a socket; it has no action")
    return Table(tuple(rules))


def _rule(route: Any, method: str, guard: Any) -> Rule:
    where = {"method": method, "path": route.path, "pattern": route.path_regex}
    if guard is None:
        return Rule(action="", **where)
    return Rule(
        action=guard.action,
        body_limit=guard.body_limit,
        streamed=guard.streamed,
        deadline=guard.deadline,
        **where,
    )


def _guards(dependant: Any) -> Iterator[Any]:
    for one in getattr(dependant, "dependencies", ()):
        if getattr(one.call, "is_guard", False):
            yield one.call
        yield from _guards(one)
