"""Pages from templates: escaped by default, with the person who looks on every page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from letopis.common.http import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The person who looks, as every page names them; empty for a stranger."""

    login: str = ""
    person: str = ""
    purpose: str = ""
    roles: tuple[str, ...] = ()


def moment(text: str | None) -> str:
    """An RFC 3339 time as people read it, in UTC to the second."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else ""


def day(text: str | None) -> str:
    """The date of an RFC 3339 time."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d}" if text else ""


def words(name: str) -> str:
    """A stored name as words."""
    return name.replace("_", " ").capitalize()


def number(value: float | str | bool | None) -> str:
    """A number with its thousands apart, and anything else as it is."""
    if value is None:
        return "not known"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.6g}"


def pretty(told: Any) -> str:
    """A JSON text, or what can be told as one, with a line for each field."""
    text = told if isinstance(told, str) else msgspec.json.encode(told, order="sorted").decode()
    return msgspec.json.format(text, indent=2)


class Pages:
    """The templates of this package."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=PackageLoader("letopis.console.page"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(moment=moment, day=day, words=words, number=number, pretty=pretty)

    def show(self, template: str, who: Who, status: int = 200, **values: Any) -> Response:
        """A page for somebody."""
        text = self.environment.get_template(template).render(who=who, **values)
        return HTMLResponse(text, status_code=status)


def show(call: Call, template: str, **values: Any) -> Response:
    """A page for the caller."""
    caller, pages = call.caller, call.resources.pages
    who = Who(login=caller.login, person=caller.person, purpose=caller.purpose, roles=tuple(sorted(caller.roles)))
    page: Response = pages.show(template, who, **values)
    return page
