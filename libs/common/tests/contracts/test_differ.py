"""A table of changes to a small service's documents: what breaks whom, and what breaks nobody."""

import copy

import pytest

from letopis.common.contracts.differ import breaking


def an_openapi():
    problem = {"type": "object", "required": ["code"], "properties": {"code": {"enum": ["a"], "x-extensible": True}}}
    body = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "maxLength": 64},
            "stage": {"enum": ["test", "production"]},
            "weight": {"type": "number", "minimum": 0},
            "tags": {"type": "array", "items": {"type": "string"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
    answer = {
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": {"type": "string"},
            "state": {"enum": ["open", "closed"]},
            "count": {"type": "integer"},
            "inner": {"$ref": "#/components/schemas/Inner"},
        },
    }
    inner = {"type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}}
    get = {
        "operationId": "parcel_list",
        "parameters": [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
            {"name": "Min-Position", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": _ref("Answer")}}}}},
        "security": [{"bearer": []}],
    }
    post = {
        "operationId": "parcel_send",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Body")}}},
        "responses": {
            "201": {"headers": {"Letopis-Position": {}}, "content": {"application/json": {"schema": _ref("Answer")}}},
            "409": {"content": {"application/problem+json": {"schema": _ref("Problem")}}},
        },
        "security": [{"bearer": []}],
    }
    health = {"operationId": "health", "responses": {"200": {"content": {"text/plain": {"schema": {}}}}}}
    return {
        "openapi": "3.1.0",
        "paths": {"/v1/parcels": {"get": get, "post": post}, "/healthz": {"get": health}},
        "components": {"schemas": {"Body": body, "Answer": answer, "Inner": inner, "Problem": problem}},
    }


def an_asyncapi():
    fact = {"title": "ParcelSent", "type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    event = {
        "type": "object",
        "required": ["position"],
        "properties": {"position": {"type": "string"}, "data": {"contentSchema": _ref("shop.parcel.sent.v1")}},
    }
    return {
        "asyncapi": "3.0.0",
        "channels": {
            "shop.parcel.sent": {
                "address": "letopis.shop.parcel.sent",
                "x-stream": "LEDGER_shop",
                "messages": {"shop.parcel.sent.v1": {"$ref": "#/components/messages/shop.parcel.sent.v1"}},
            }
        },
        "components": {
            "messages": {
                "shop.parcel.sent.v1": {
                    "contentType": "application/cloudevents+json",
                    "headers": {"type": "object", "properties": {"Nats-Msg-Id": {"type": "string"}}},
                    "payload": _ref("event.shop.parcel.sent.v1"),
                }
            },
            "schemas": {"event.shop.parcel.sent.v1": event, "shop.parcel.sent.v1": fact},
        },
    }


def _ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def at(document, path):
    for step in path.split(">"):
        document = document[int(step) if isinstance(document, list) else step]
    return document


def put(path, **values):
    """A change: these values at this place; None takes away."""

    def change(document):
        place = at(document, path)
        for name, value in values.items():
            key = name.replace("__", "-")
            if value is None:
                del place[key]
            else:
                place[key] = value

    return change


BODY, ANSWER, INNER = (f"components>schemas>{name}>properties" for name in ("Body", "Answer", "Inner"))
POST, GET = "paths>/v1/parcels>post", "paths>/v1/parcels>get"

# A change, a word that the finding must say, and whom it must name.
BREAKS = [
    (put("paths", **{"/healthz": None}), "the route is gone", "its callers"),
    (put("paths>/v1/parcels", post=None), "the route is gone", "its callers"),
    (put(POST, operationId="send"), "parcel_send is now send", "generated clients"),
    (put("paths>/healthz>get", security=[{"bearer": []}]), "a token is needed", "without one"),
    (put(BODY, id={"type": "integer"}), "id may be string and is refused", "callers"),
    (put(BODY, id={"type": "string", "maxLength": 32}), "maxLength 32", "callers"),
    (put(BODY, id={"type": "string", "maxLength": 64, "pattern": "^a"}), "pattern", "callers"),
    (put(BODY, stage={"enum": ["production"]}), "stage may be test", "callers"),
    (put(BODY, weight={"type": "number", "minimum": 1}), "minimum 1", "callers"),
    (put(BODY, weight={"type": "integer", "minimum": 0}), "weight may be number", "callers"),
    (put(BODY, tags={"type": "array", "items": {"type": "integer"}}), "tags[] may be string", "callers"),
    (put(BODY, note={"type": "string"}), "note may be null", "callers"),
    (put(BODY, note=None), "note is not known", "callers"),
    (put("components>schemas>Body", required=["id", "stage"]), "stage may be absent", "callers"),
    (put(POST, requestBody=None), "the body is not read", "callers"),
    (put(GET, requestBody={"required": True, "content": {}}), "a body is required", "all callers"),
    (put(f"{POST}>requestBody>content", **{"application/json": None}), "not taken as application/json", "callers"),
    (put(f"{GET}>parameters>0", required=True), "limit is required now", "leave it out"),
    (put(f"{GET}>parameters>0", schema={"type": "integer", "maximum": 10}), "maximum 10", "callers"),
    (put(f"{GET}>parameters>0", name="most"), "limit is gone", "callers"),
    (
        lambda d: at(d, f"{GET}>parameters").append({"name": "who", "in": "query", "required": True, "schema": {}}),
        "new query parameter who is required",
        "all callers",
    ),
    (put(ANSWER, id={"type": "integer"}), "id may be integer", "clients"),
    (put(ANSWER, state={"enum": ["open", "closed", "lost"]}), "state may be lost", "clients"),
    (put(ANSWER, state={"type": "string"}), "not only open, closed", "clients"),
    (put(ANSWER, count={"type": "number"}), "count may be number", "clients"),
    (put(ANSWER, count=None), "count is gone", "clients"),
    (put("components>schemas>Answer", required=["id"]), "state may be absent", "clients"),
    (put(INNER, at={"type": "string"}), "inner.at may differ from format date-time", "clients"),
    (put(f"{POST}>responses", **{"201": None}), "does not answer 201", "clients"),
    (put(f"{POST}>responses", **{"202": {}}), "may answer 202", "clients"),
    (put(f"{POST}>responses>201", headers={}), "lacks the header Letopis-Position", "clients"),
    (put(f"{POST}>responses>201>content", **{"application/json": None}), "is not application/json", "clients"),
    (put("components>schemas>Problem", required=[]), "code may be absent", "clients"),
]
COMPATIBLE = [
    put("paths", **{"/v1/more": {"get": {"operationId": "more", "responses": {}}}}),
    put(BODY, more={"type": "string"}),
    put(BODY, stage={"enum": ["test", "production", "trial"]}),
    put(BODY, id={"type": "string", "maxLength": 128}),
    put(BODY, id={"type": ["string", "integer"], "maxLength": 64}),
    put(BODY, weight={"type": "number"}),
    put("components>schemas>Body", required=[]),
    put(POST + ">requestBody", required=False),
    put(f"{POST}>requestBody>content", **{"application/xml": {}}),
    put("paths>/healthz>get", requestBody={"content": {"text/plain": {}}}),
    lambda d: at(d, f"{GET}>parameters").append({"name": "who", "in": "query", "schema": {}}),
    put(f"{GET}>parameters>1", name="min-position"),
    put(GET, security=None),
    put(ANSWER, more={"type": "string"}),
    put(ANSWER, state={"enum": ["open"]}),
    put("components>schemas>Answer", required=["id", "state", "count"]),
    put(f"{POST}>responses", **{"429": {}}),
    put(f"{POST}>responses", **{"409": None}),
    put("components>schemas>Problem>properties", code={"enum": ["a", "b"], "x-extensible": True}),
    put("components>schemas>Answer", description="told better"),
]
CHANNEL, MESSAGE = "channels>shop.parcel.sent", "components>messages>shop.parcel.sent.v1"
FACT = "components>schemas>shop.parcel.sent.v1"
NEWS_BREAKS = [
    (put("channels", **{"shop.parcel.sent": None}), "the channel is gone"),
    (put(CHANNEL, address="letopis.shop.sent"), "is now letopis.shop.sent"),
    (put(CHANNEL, x__stream="SHOP"), "is now SHOP"),
    (put(CHANNEL, messages={}), "not published any more"),
    (put(MESSAGE, contentType="application/json"), "is now application/json"),
    (put("components>schemas>event.shop.parcel.sent.v1", required=[]), "position may be absent"),
    (put("components>schemas>event.shop.parcel.sent.v1>properties", position={"type": "integer"}), "may be integer"),
    (put(FACT, required=[]), "next schema version"),
    (put(f"{FACT}>properties", more={"type": "string"}), "next schema version"),
    (put(f"{FACT}>properties>id", **{"x-personal": {"subject": "id"}}), "next schema version"),
]
NEWS_COMPATIBLE = [
    put("channels", **{"shop.parcel.lost": {"address": "letopis.shop.parcel.lost", "messages": {}}}),
    put(f"{CHANNEL}>messages", **{"shop.parcel.sent.v2": {}}),
    put("components>schemas", **{"shop.parcel.sent.v2": {}}),
    put("components>schemas>event.shop.parcel.sent.v1>properties", more={"type": "string"}),
    put(FACT, description="told better"),
]


def changed(document, change):
    after = copy.deepcopy(document)
    change(after)
    assert after != document
    return after


class TestDoors:
    @pytest.mark.parametrize(("change", "what", "whom"), BREAKS)
    def test_a_breaking_change_is_named_with_whom_it_breaks(self, change, what, whom):
        found = breaking(an_openapi(), changed(an_openapi(), change))
        assert any(what in one.what and whom in one.whom for one in found), found

    @pytest.mark.parametrize("change", COMPATIBLE)
    def test_a_compatible_change_breaks_nobody(self, change):
        assert breaking(an_openapi(), changed(an_openapi(), change)) == []

    def test_no_change_breaks_nobody(self):
        assert breaking(an_openapi(), an_openapi()) == []


class TestNews:
    @pytest.mark.parametrize(("change", "what"), NEWS_BREAKS)
    def test_a_breaking_change_is_named(self, change, what):
        found = breaking(an_asyncapi(), changed(an_asyncapi(), change))
        assert any(what in one.what for one in found), found

    @pytest.mark.parametrize("change", NEWS_COMPATIBLE)
    def test_a_compatible_change_breaks_nobody(self, change):
        assert breaking(an_asyncapi(), changed(an_asyncapi(), change)) == []
