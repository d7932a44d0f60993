"""What a new document takes away from those who rely on the released one: additions are fine, the rest is named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from letopis.common.contracts.shape import Shape, Within, resolve

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What changed, and for whom."""

    where: str
    what: str
    whom: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} (breaks {self.whom})"


def breaking(old: Document, new: Document) -> list[Break]:
    """Every way in which `new` fails somebody who relies on `old`; both OpenAPI or both AsyncAPI documents."""
    return list(_asyncapi(old, new) if "asyncapi" in old else _openapi(old, new))


def _openapi(old: Document, new: Document) -> Iterator[Break]:
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            where = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield Break(where=where, what="the route is gone", whom="its callers")
                continue
            yield from _named(where, before, after)
            yield from _parameters(where, before, after, old, new)
            yield from _body(where, before.get("requestBody"), after.get("requestBody"), old, new)
            yield from _responses(where, before["responses"], after["responses"], old, new)


def _named(where: str, before: Document, after: Document) -> Iterator[Break]:
    if before.get("operationId") != after.get("operationId"):
        what = f"operation {before.get('operationId')} is now {after.get('operationId')}"
        yield Break(where=where, what=what, whom="generated clients")
    if not before.get("security") and after.get("security"):
        yield Break(where=where, what="a token is needed now", whom="callers without one")


def _parameters(where: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Break]:
    had, has = _by_place(before, old), _by_place(after, new)
    for key, one in had.items():
        name = f"{key[0]} parameter {key[1]}"
        if key not in has:
            yield Break(where=where, what=f"{name} is gone", whom="callers who send it")
            continue
        other = has[key]
        if other.get("required") and not one.get("required"):
            yield Break(where=where, what=f"{name} is required now", whom="callers who leave it out")
        yield from _accepts(where, name, one.get("schema", {}), other.get("schema", {}), old, new)
    for key, other in has.items():
        if key not in had and other.get("required"):
            yield Break(where=where, what=f"new {key[0]} parameter {key[1]} is required", whom="all callers")


def _by_place(operation: Document, document: Document) -> dict[tuple[str, str], Document]:
    found = [_resolved(one, document) for one in operation.get("parameters", ())]
    # Header names know no case.
    return {(one["in"], one["name"].lower() if one["in"] == "header" else one["name"]): one for one in found}


def _body(where: str, before: Any, after: Any, old: Document, new: Document) -> Iterator[Break]:
    if before is None:
        if after is not None and _resolved(after, new).get("required"):
            yield Break(where=where, what="a body is required now", whom="all callers")
        return
    if after is None:
        yield Break(where=where, what="the body is not read any more", whom="callers who send one")
        return
    one, other = _resolved(before, old), _resolved(after, new)
    if other.get("required") and not one.get("required"):
        yield Break(where=where, what="the body is required now", whom="callers who leave it out")
    for kind, content in one["content"].items():
        if kind not in other["content"]:
            yield Break(where=where, what=f"the body is not taken as {kind} any more", whom="callers who send it")
            continue
        schema = other["content"][kind].get("schema", {})
        yield from _accepts(where, "the body", content.get("schema", {}), schema, old, new)


def _accepts(where: str, name: str, before: Any, after: Any, old: Document, new: Document) -> Iterator[Break]:
    """Whatever callers may send by the old schema MUST be taken by the new one."""
    one, other = Shape(schema=before, document=old), Shape(schema=after, document=new)
    for reason in Within().reasons(one, other):
        yield Break(where=where, what=f"{name}: {reason} and is refused now", whom="callers who send that")
    for field in _gone(one, other):
        yield Break(where=where, what=f"{name}: {field} is not read any more", whom="callers who send it")


def _responses(where: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Break]:
    for status, told in before.items():
        if status not in after:
            if not _problem(status):
                yield Break(where=where, what=f"does not answer {status} any more", whom="clients that expect it")
            continue
        one, other = _resolved(told, old), _resolved(after[status], new)
        for name in sorted(set(one.get("headers", ())) - set(other.get("headers", ()))):
            yield Break(where=where, what=f"{status} lacks the header {name}", whom="clients that read it")
        for kind, content in one.get("content", {}).items():
            if kind not in other.get("content", {}):
                yield Break(where=where, what=f"{status} is not {kind} any more", whom="clients that read it")
                continue
            schema = other["content"][kind].get("schema", {})
            yield from _answers(f"{where} {status}", content.get("schema", {}), schema, old, new)
    for status in after:
        if status not in before and not _problem(status):
            yield Break(where=where, what=f"may answer {status} now", whom="clients that do not know it")


def _problem(status: str) -> bool:
    """Clients have to be ready for any refusal; its shape is always the same."""
    return not status.startswith(("1", "2", "3"))


def _answers(where: str, before: Any, after: Any, old: Document, new: Document) -> Iterator[Break]:
    """Whatever the new schema lets us answer MUST be what readers were told."""
    one, other = Shape(schema=before, document=old), Shape(schema=after, document=new)
    for reason in Within().reasons(other, one):
        yield Break(where=where, what=f"{reason} now", whom="clients that read it")
    required = set(one.flat().schema.get("required", ()))
    for field in _gone(one, other):
        if field not in required:
            yield Break(where=where, what=f"{field} is gone", whom="clients that read it")


def _gone(before: Shape, after: Shape) -> list[str]:
    """The names at the top of the old schema that the new one does not know."""
    one, other = before.flat().schema, after.flat().schema
    if "properties" not in one or other.get("additionalProperties") is False:
        return []
    return sorted(set(one["properties"]) - set(other.get("properties", {})))


def _asyncapi(old: Document, new: Document) -> Iterator[Break]:
    for name, before in old["channels"].items():
        whom = f"subscribers of {before['address']}"
        after = new["channels"].get(name)
        if after is None:
            yield Break(where=name, what="the channel is gone", whom=whom)
            continue
        for word in ("address", "x-stream"):
            if before.get(word) != after.get(word):
                yield Break(where=name, what=f"{before.get(word)} is now {after.get(word)}", whom=whom)
        for message, reference in before["messages"].items():
            if message not in after["messages"]:
                yield Break(where=name, what=f"{message} is not published any more", whom=whom)
                continue
            one = _resolved(reference, old)
            other = _resolved(after["messages"][message], new)
            yield from _message(f"{name} {message}", whom, one, other, old, new)
    yield from _facts(old, new)


def _message(where: str, whom: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Break]:
    if before["contentType"] != after["contentType"]:
        yield Break(where=where, what=f"{before['contentType']} is now {after['contentType']}", whom=whom)
    for part in ("headers", "payload"):
        one = Shape(schema=before[part], document=old)
        for reason in Within().reasons(Shape(schema=after[part], document=new), one):
            yield Break(where=where, what=f"{part}: {reason} now", whom=whom)


def _facts(old: Document, new: Document) -> Iterator[Break]:
    """A released schema version of a fact never changes, not even by an addition: its texts are hashed for ever."""
    for name, before in old["components"]["schemas"].items():
        if not _is_fact(name):
            continue
        after = new["components"]["schemas"].get(name)
        if after is None:
            yield Break(where=name, what="a released fact is gone", whom="whoever reads the ledger")
        elif _bare(before, old) != _bare(after, new):
            what = "the shape of a released fact changed; write the next schema version and an upcast"
            yield Break(where=name, what=what, whom="whoever reads the ledger")


def _is_fact(name: str) -> bool:
    """`registry.promotion.requested.v1`, not the event or record around it."""
    return name.rpartition(".v")[2].isdigit() and not name.startswith(("event.", "record."))


def _bare(schema: Any, document: Document, within: tuple[str, ...] = ()) -> Any:
    """The schema with its parts in place and without words for people."""
    match schema:
        case {"$ref": str(reference)}:
            if reference in within:
                return {"$ref": reference}
            return _bare(resolve(document, reference), document, (*within, reference))
        case dict():
            spoken = {"title", "description"} if "type" in schema else set()
            return {key: _bare(part, document, within) for key, part in schema.items() if key not in spoken}
        case list():
            return [_bare(part, document, within) for part in schema]
        case _:
            return schema


def _resolved(part: Any, document: Document) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        part = resolve(document, part["$ref"])
    return part
