"""What services promise: documents that are valid, whole, as released, and kept by every fact of the journey."""

import importlib
import json
import pkgutil
from functools import cache
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest
from e2e.stacks import SERVICES
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from letopis.common.contracts.payload import schema_name
from letopis.common.contracts.released import differences, generated, services
from letopis.common.envelope import record_from_json
from letopis.common.errors import Invalid, NotFound, Refused
from letopis.common.messaging import cloudevent
from letopis.common.serialization import Catalogue

ROOT = Path(__file__).parents[1]
ASYNCAPI = json.loads((ROOT / "libs/common/tests/contracts/asyncapi/3.0.0.json").read_bytes())
OPENAPI = json.loads(
    (resources.files("openapi_spec_validator") / "resources/schemas/v3.1/schema.json").read_text("utf-8")
)
LEDGERS = {"registry": ["registry"], "features": ["features", "access"], "inference": ["inference", "decisions"]}
LEDGERS |= {"monitoring": ["monitoring"], "audit": ["audit"]}

# What only our own jobs and reactions can meet, or nobody, since the id is new with every request.
INTERNAL = {"promotion.exists", "batch.exists", "batch.unknown", "grant.exists", "online.counting_stopped"}
INTERNAL |= {"read.known", "read.over", "job.known", "job.not_running", "job.rows_uncounted"}


@cache
def documents(service):
    made = generated(service)
    return made[f"{service}.openapi.json"], made[f"{service}.asyncapi.json"]


def rooms_of(service, *doors):
    """Every such module below a service, one a room."""
    package = importlib.import_module(f"letopis.{service}")
    names = [one.name for one in pkgutil.walk_packages(package.__path__, f"letopis.{service}.")]
    return [importlib.import_module(name) for name in names if name.rpartition(".")[2] in doors]


class TestDocuments:
    def test_every_service_has_them(self):
        assert services() == sorted(SERVICES)

    @pytest.mark.parametrize("service", SERVICES)
    def test_are_valid(self, service):
        doors, news = documents(service)
        jsonschema_rs.validate(OPENAPI, doors)
        jsonschema_rs.validate(ASYNCAPI, news)

    @pytest.mark.fuzz
    @pytest.mark.parametrize("service", SERVICES)
    def test_are_valid_to_the_last_reference(self, service):
        OpenAPIV31SpecValidator(documents(service)[0]).validate()

    @pytest.mark.parametrize("service", SERVICES)
    def test_tell_every_fact_of_the_code(self, service):
        found = [
            value
            for room in rooms_of(service, "events")
            for value in vars(room).values()
            if isinstance(value, Catalogue)
        ]
        facts = {schema_name(type, version) for one in found for type, version, _ in one.entries}
        assert facts <= set(documents(service)[1]["components"]["schemas"])
        assert facts or service == "console"

    @pytest.mark.parametrize("service", SERVICES)
    def test_promise_every_refusal_that_a_caller_can_meet(self, service):
        """By the code of each, somewhere in the service's document; the ids of the others are given by ourselves."""
        told = json.dumps(documents(service)[0])
        found = {
            kind.code
            for room in rooms_of(service, "decider", "api")
            for kind in vars(room).values()
            if isinstance(kind, type)
            and issubclass(kind, Refused | NotFound | Invalid)
            and kind.__module__ == room.__name__
        }
        assert {code for code in found if f'"{code}"' not in told} <= INTERNAL

    def test_one_that_is_lost_is_noticed(self, tmp_path):
        (tmp_path / "gone.openapi.json").write_text("{}")
        (lost,) = differences(tmp_path, {})
        assert lost.breaks

    @pytest.mark.parametrize("service", SERVICES)
    def test_guarded_doors_ask_for_a_token_and_public_ones_do_not(self, service):
        public = {
            path
            for path, methods in documents(service)[0]["paths"].items()
            for one in methods.values()
            if "security" not in one
        }
        assert {"/healthz", "/readyz", "/metrics"} <= public
        assert not public & {"/openapi.json", "/asyncapi.json", "/v1/ledgers/{ledger}/facts"}


class TestServed:
    @pytest.mark.parametrize("service", SERVICES[:-1])
    def test_they_are_the_ones_of_the_code(self, world, story, service):
        for place, document in zip(("/openapi.json", "/asyncapi.json"), documents(service), strict=True):
            assert world["bank-app"].get(service, place) == json.loads(json.dumps(document))
            assert world.http.get(world.urls[service] + place).status_code == 401

    @pytest.mark.parametrize("service", LEDGERS)
    def test_every_fact_of_the_journey_is_what_was_promised(self, world, story, service):
        news = documents(service)[1]
        fits = {}
        seen = 0
        for ledger in LEDGERS[service]:
            answer = world["irina"].send("GET", service, f"/v1/ledgers/{ledger}/facts?after=0&limit=3000")
            for line in answer.text.splitlines():
                record = record_from_json(json.loads(line))
                name = schema_name(record.type, record.schema_version)
                _validator(fits, name, news).validate(json.loads(record.data))
                if f"event.{name}" in news["components"]["schemas"]:
                    _validator(fits, f"event.{name}", news).validate(json.loads(cloudevent(record)))
                else:
                    _validator(fits, f"record.{ledger}", news).validate(json.loads(line))
                seen += 1
        assert seen


def _validator(kept, name, news):
    if name not in kept:
        reference = {"$ref": f"#/components/schemas/{name}", "components": news["components"]}
        kept[name] = Draft202012Validator(reference, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return kept[name]
