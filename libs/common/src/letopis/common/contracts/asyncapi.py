"""AsyncAPI 3.0 of a service's news: a channel a subject, made from the catalogue of its facts and nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any

from letopis.common.contracts import told
from letopis.common.contracts.payload import COMPONENT, schema_name, schemas
from letopis.common.errors import LetopisError
from letopis.common.messaging import SEGMENT, stream_name
from letopis.common.serialization import Catalogue

CLOUDEVENTS = "application/cloudevents+json"
SEGMENTS = "application/x-ndjson+zstd"


class ContractError(LetopisError):
    """A document cannot be made of what the code says."""

    code = "contracts.document"
    title = "A document of the service's promises cannot be made"


_TEXT = {"type": "string"}
_JSON = {"type": "string", "contentMediaType": "application/json"}
_DIGITS = {"type": "string", "pattern": "^[0-9]+$"}
_COUNT = {"type": "string", "pattern": "^[1-9][0-9]*$"}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time", "pattern": r"\.[0-9]{6}Z$"}


def asyncapi(title: str, service: str, facts: Mapping[str, Catalogue], telemetry: Iterable[str] = ()) -> dict[str, Any]:
    """What a service's ledgers publish: single facts as CloudEvents, those of `telemetry` ledgers in segments."""
    bulk = frozenset(telemetry)
    payloads: dict[str, Any] = {}
    for catalogue in facts.values():
        _add(payloads, schemas(catalogue))
    entries = [(ledger, *entry) for ledger, catalogue in facts.items() for entry in catalogue.entries]
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for ledger, type, version, kind in sorted(entries, key=lambda entry: entry[:3]):
        if ledger in bulk:
            continue
        name = schema_name(type, version)
        messages[name] = _message(ledger, type, version, (kind.__doc__ or "").strip())
        payloads[f"event.{name}"] = _event(ledger, type, version)
        channel = channels.setdefault(type, _channel(ledger, f"letopis.{type}", f"Facts `{type}`, one a message."))
        channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
    for ledger in sorted(facts):
        payloads[f"record.{ledger}"] = _record(ledger, facts[ledger])
        if ledger not in bulk:
            payloads[f"event.{ledger}"] = _any_event(ledger)
            continue
        name = f"{ledger}.{SEGMENT}"
        messages[name] = _segment_message(ledger)
        payloads[name] = {"type": "array", "items": {"$ref": COMPONENT.format(name=f"record.{ledger}")}}
        channels[name] = _channel(ledger, f"letopis.{name}", f"Facts of `{ledger}` in order, many a message.")
        channels[name]["messages"][name] = {"$ref": f"#/components/messages/{name}"}
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:letopis:{service}",
        "info": {
            "title": f"{title}: news",
            "version": told.VERSION,
            "description": told.NEWS,
            "license": told.LICENCE,
        },
        "defaultContentType": CLOUDEVENTS,
        "servers": {"bank": told.SERVER},
        "channels": dict(sorted(channels.items())),
        "operations": {name: _operation(name, channel) for name, channel in sorted(channels.items())},
        "components": {
            "schemas": dict(sorted(payloads.items())),
            "messages": messages,
            "securitySchemes": {"nkey": told.NKEY},
        },
    }


def _channel(ledger: str, address: str, description: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {},
        "x-ledger": ledger,
        "x-stream": stream_name(ledger),
    }


def _operation(name: str, channel: dict[str, Any]) -> dict[str, Any]:
    reference = f"#/channels/{name}"
    return {
        "action": "send",
        "channel": {"$ref": reference},
        "summary": channel["description"],
        "messages": [{"$ref": f"{reference}/messages/{message}"} for message in channel["messages"]],
    }


def _add(payloads: dict[str, Any], more: dict[str, Any]) -> None:
    """Parts that two ledgers share stand once; ContractError if two of one name differ."""
    if clash := sorted(name for name, schema in more.items() if payloads.get(name, schema) != schema):
        raise ContractError(f"{', '.join(clash)}: two different parts of facts have one name")
    payloads.update(more)


def _message(ledger: str, type: str, version: int, description: str) -> dict[str, Any]:
    name = schema_name(type, version)
    return {
        "name": name,
        "title": type,
        "summary": description.partition("\n")[0],
        "contentType": CLOUDEVENTS,
        "headers": _headers(f"^{ledger}:[0-9]+$"),
        "payload": {"$ref": COMPONENT.format(name=f"event.{name}")},
    }


def _segment_message(ledger: str) -> dict[str, Any]:
    name = f"{ledger}.{SEGMENT}"
    return {
        "name": name,
        "title": name,
        "summary": "NDJSON of records under zstd; borders may change, so skip positions that you have.",
        "contentType": SEGMENTS,
        "headers": _headers(f"^{ledger}:[0-9]+-[0-9]+$"),
        "payload": {"$ref": COMPONENT.format(name=name)},
    }


def _headers(pattern: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["Nats-Msg-Id"],
        "properties": {"Nats-Msg-Id": {"type": "string", "pattern": pattern}},
    }


def _event(ledger: str, type: str, version: int) -> dict[str, Any]:
    """The event of one fact: what its type fixes beyond any event of the ledger."""
    name, content = _fixed(type), {"$ref": COMPONENT.format(name=schema_name(type, version))}
    data = {"type": name, "schema_version": _fixed(str(version)), "data": {"contentSchema": content}}
    return {
        "allOf": [
            {"$ref": COMPONENT.format(name=f"event.{ledger}")},
            {"properties": {"type": name, "data": {"properties": data}}},
        ]
    }


def _any_event(ledger: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured mode, with the extensions of a ledger."""
    properties = {
        "specversion": _fixed("1.0"),
        "id": _UUID,
        "source": _fixed(f"urn:letopis:{ledger}"),
        "type": _of(ledger),
        "subject": _TEXT | {"description": "the stream of the fact"},
        "time": _TIME,
        "datacontenttype": _fixed("application/json"),
        "ledger": _fixed(ledger),
        "position": _COUNT,
        "prevposition": _DIGITS | {"description": "the position of this stream's fact before, 0 for none"},
        "leafhash": _HASH | {"description": "hex SHA-256(0x00 || leaf), RFC 6962"},
    }
    either = {
        "data": {"$ref": COMPONENT.format(name=f"record.{ledger}")},
        "dataref": _TEXT | {"description": "the owner's door, where the event was too large for the bus"},
    }
    return {
        "type": "object",
        "required": list(properties),
        "anyOf": [{"required": [name]} for name in either],
        "properties": properties | either,
    }


def _record(ledger: str, facts: Catalogue) -> dict[str, Any]:
    """A stored fact as it travels: all values are strings, `data` and `meta` the exact text that is hashed."""
    kinds = [{"$ref": COMPONENT.format(name=schema_name(type, version))} for type, version, _ in facts.entries]
    properties = {
        "v": _fixed("1"),
        "ledger": _fixed(ledger),
        "position": _COUNT,
        "stream": _TEXT,
        "version": _COUNT,
        "prev": _DIGITS,
        "event_id": _UUID,
        "type": _of(ledger),
        "schema_version": _COUNT,
        "recorded_at": _TIME,
        "command_id": {"anyOf": [_UUID, _fixed("")]},
        "salt": _TEXT | {"pattern": "^[0-9a-f]{32}$"},
        "data": _JSON | {"contentSchema": {"anyOf": kinds, "x-extensible": True}},
        "meta": _JSON | {"description": "actor, purpose, and the policy decision behind the fact"},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _fixed(value: str) -> dict[str, str]:
    return {"type": "string", "const": value}


def _of(ledger: str) -> dict[str, str]:
    """A stored name of the ledger."""
    return {"type": "string", "pattern": rf"^{ledger}\."}
