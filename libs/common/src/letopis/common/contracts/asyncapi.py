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
    for ledger in sorted(bulk):
        name = f"{ledger}.{SEGMENT}"
        messages[name] = _segment_message(ledger)
        of_it = [schema_name(type, version) for type, version, _ in facts[ledger].entries]
        payloads[f"record.{ledger}"] = _record(ledger, sorted(of_it))
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
    """CloudEvents 1.0, structured mode, with the extensions of a ledger."""
    fixed = {"specversion": "1.0", "source": f"urn:letopis:{ledger}", "type": type, "ledger": ledger}
    return {
        "type": "object",
        "required": [*fixed, "id", "subject", "time", "position", "prevposition", "leafhash"],
        # An event too large for the bus says where its data are instead.
        "anyOf": [{"required": ["data"]}, {"required": ["dataref"]}],
        "properties": {
            **{name: {"type": "string", "const": value} for name, value in fixed.items()},
            "id": _UUID,
            "subject": {"type": "string", "description": "the stream of the fact"},
            "time": _TIME,
            "datacontenttype": {"type": "string", "const": "application/json"},
            "position": _COUNT,
            "prevposition": _DIGITS | {"description": "the position of this stream's fact before, 0 for none"},
            "leafhash": _HASH | {"description": "hex SHA-256(0x00 || leaf), RFC 6962"},
            "dataref": {"type": "string", "description": "the owner's door, where the event was too large"},
            "data": _record(ledger, [schema_name(type, version)], type, version),
        },
    }


def _record(ledger: str, names: list[str], type: str = "", version: int = 0) -> dict[str, Any]:
    """A stored fact as it travels: all values are strings, `data` and `meta` the exact text that is hashed."""
    kinds = [{"$ref": COMPONENT.format(name=name)} for name in names]
    text = {"type": "string", "contentMediaType": "application/json"}
    shape = {
        "v": {"type": "string", "const": "1"},
        "ledger": {"type": "string", "const": ledger},
        "position": _COUNT,
        "stream": {"type": "string"},
        "version": _COUNT,
        "prev": _DIGITS,
        "event_id": _UUID,
        "type": {"type": "string", "const": type} if type else {"type": "string", "pattern": rf"^{ledger}\."},
        "schema_version": {"type": "string", "const": str(version)} if version else _COUNT,
        "recorded_at": _TIME,
        "command_id": {"anyOf": [_UUID, {"type": "string", "const": ""}]},
        "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "data": text | {"contentSchema": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}},
        "meta": text | {"description": "actor, purpose, and the policy decision behind the fact"},
    }
    return {"type": "object", "required": list(shape), "properties": shape}
