"""The API over real policies and PostgreSQL; features is played by an application that answers as features does."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, cast

import httpx
import pyarrow as pa
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pyarrow import parquet

from letopis.common.errors import Unauthenticated
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.http import create_service
from letopis.common.identity.caller import Principal
from letopis.common.identity.claims import Claims
from letopis.common.policy import Policy
from letopis.common.testing.routes import assert_guarded
from letopis.common.testing.sample import facts
from letopis.monitoring.alert.views import Alerts
from letopis.monitoring.app import ROUTERS, MonitoringResources, create_app
from letopis.monitoring.monitor.views import Monitors, Versions
from letopis.monitoring.outcome.views import Labelled
from letopis.monitoring.profile.views import profile_of
from letopis.monitoring.settings import MonitoringSettings
from letopis.registry.contract import CONTRACT, VersionRegistered

ROLES = {
    "anna": {"data_scientist"},
    "boris": {"model_owner"},
    "oleg": {"data_engineer"},
    "irina": {"auditor"},
    "bank-app": {"consumer"},
}
NOW = datetime(2026, 11, 21, 6, 55, tzinfo=UTC)


@dataclass
class Verifier:
    """Knows tokens by name: `boris` is Boris."""

    async def verify(self, token: str) -> Claims:
        if token not in ROLES:
            raise Unauthenticated
        return Claims(
            login=token,
            person=token,
            issuer="http://issuer",
            issued_at=NOW,
            expires_at=NOW + timedelta(hours=1),
            service="",
        )


class InNameOf:
    """Lends names as the provider does."""

    async def in_name_of(self, token: str, service: str, purpose: str) -> str:
        return f"{token} at {service} for {purpose}"


@dataclass
class Directory:
    async def find(self, login: str) -> Principal | None:
        roles = frozenset(ROLES[login])
        return Principal(login=login, person=login, name=login, kind="human", roles=roles, keys={})


@dataclass
class Features:
    """A features service with one training set, of purpose credit_scoring, which Anna may read."""

    content: bytes
    asked: list[str] = field(default_factory=list)
    promised: str = ""

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/datasets/{dataset_id}")
        async def manifest(dataset_id: str) -> Response:
            if dataset_id != "april":
                return JSONResponse({"title": "There is no such object", "detail": "no such set"}, 404)
            return JSONResponse({"files": [{"sha256": self.promised or sha256(self.content).hexdigest()}]})

        @app.get("/v1/datasets/{dataset_id}/data")
        async def data(dataset_id: str, request: Request) -> Response:
            self.asked.append(request.headers["authorization"].removeprefix("Bearer "))
            if request.headers["letopis-purpose"] != "credit_scoring":
                reason = {"rule": "dataset.other_purpose", "owner": "Data security", "message": "m", "remedy": "r"}
                return JSONResponse({"detail": "another purpose", "reasons": [reason]}, 403)
            return Response(self.content, headers={"Letopis-Position": "access/7"})

        return app


@dataclass(kw_only=True)
class Api:
    service: Any
    client: httpx.AsyncClient
    features: Features

    async def post(
        self, path: str, body: Mapping[str, Any], *, by: str, purpose: str = "credit_scoring"
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Letopis-Purpose": purpose}
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path: str, *, by: str = "irina") -> Any:
        answer = await self.client.get(path, headers={"Authorization": f"Bearer {by}"})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def api(service: Any, months: Any, opa_server: str) -> AsyncIterator[Api]:
    training = io.BytesIO()
    parquet.write_table(pa.table(months[4]), training)
    features = Features(training.getvalue())
    policy = Policy(opa_server, "monitoring", service.clock)

    @asynccontextmanager
    async def resources() -> AsyncIterator[MonitoringResources]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=features.app())) as http:
            yield MonitoringResources(
                tokens=cast("Any", InNameOf()),
                settings=MonitoringSettings(),
                service="monitoring",
                clock=service.clock,
                store=service.desk.store,
                desk=service.desk,
                policy=policy,
                verifier=cast("Any", Verifier()),
                directory=cast("Any", Directory()),
                views=service.views,
                http=http,
                keyring=service.keyring,
            )
        await policy.close()

    app = create_service("Monitoring", "monitoring", MonitoringSettings(), ROUTERS, resources)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://monitoring") as client,
    ):
        await register(service)
        yield Api(service=service, client=client, features=features)


async def register(service: Any) -> None:
    """The registry tells of one version, whose signature takes three of the panel's columns."""
    registry = MemoryEventStore(service.clock)
    told = VersionRegistered(
        version_id="credit-default.1",
        model_id="credit-default",
        model_name="credit-default",
        number=1,
        digest="ab" * 32,
        manifest={
            "signature": {"inputs": [{"name": name} for name in ("status", "bill", "utilisation")]},
            "reference": {"dataset_id": "april"},
        },
        author="anna",
        signature="",
        key_id="",
    )
    await registry.append("registry", "version:credit-default.1", 0, facts(CONTRACT, told))
    sources = dict(service.sources)
    service.sources = sources | {"registry": OwnLedger(registry, "registry", News(), busy=0, quiet=0)}
    await service.project(Versions)


MONITOR = {"version_id": "credit-default.1"}


class TestRoutes:
    async def test_are_all_guarded(self) -> None:
        await assert_guarded(create_app(MonitoringSettings()), public={"GET /healthz", "GET /readyz", "GET /metrics"})


class TestMonitors:
    async def test_are_made_from_the_training_set_read_in_the_callers_name(self, api: Api) -> None:
        answer = await api.post("/v1/monitors", MONITOR, by="anna")
        assert answer.status_code == 201, answer.text
        (fact,) = answer.json()["facts"]
        assert fact["type"] == "monitoring.monitor.defined"
        assert fact["data"]["read"] == "access/7"
        assert fact["data"]["files"] == [sha256(api.features.content).hexdigest()]
        assert [(one["feature"], one["kind"]) for one in fact["data"]["features"]] == [
            ("status", "level"),
            ("bill", "numeric"),
            ("utilisation", "numeric"),
        ]
        assert api.features.asked == ["anna at features for credit_scoring"]
        await api.service.project(Monitors)
        (shown,) = await api.get("/v1/monitors")
        assert shown["dataset_id"] == "april"
        assert shown["thresholds"]["delta0"] == 0.02
        assert (await api.post("/v1/monitors", MONITOR, by="anna")).json()["code"] == "monitor.exists"

    async def test_are_refused_where_features_refuses_the_read(self, api: Api) -> None:
        answer = await api.post("/v1/monitors", MONITOR, by="anna", purpose="curiosity")
        assert answer.status_code == 403
        assert answer.json()["reasons"][0]["rule"] == "dataset.other_purpose"

    async def test_are_refused_on_bytes_that_are_not_those_of_the_manifest(self, api: Api) -> None:
        api.features.promised = "00" * 32
        answer = await api.post("/v1/monitors", MONITOR, by="anna")
        assert (answer.status_code, answer.json()["code"]) == (500, "object.damaged")

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"version_id": "nothing.1"}, 404, "not_found"),
            (MONITOR | {"dataset_id": "nothing"}, 404, "not_found"),
            (MONITOR | {"features": [{"name": "salary"}]}, 422, "invalid"),
            (MONITOR | {"features": []}, 409, "monitor.nothing_watched"),
            (MONITOR | {"window": {"seconds": 0}}, 422, None),
            (MONITOR | {"thresholds": {"major": 0.2, "critical": 0.1}}, 409, "monitor.thresholds_invalid"),
            (MONITOR | {"thresholds": {"major": 0.4, "critical": 0.5}}, 403, "forbidden"),
        ],
    )
    async def test_say_what_is_wrong(self, api: Api, body: Mapping[str, Any], status: int, code: str | None) -> None:
        answer = await api.post("/v1/monitors", body, by="anna")
        assert answer.status_code == status, answer.text
        assert code is None or answer.json()["code"] == code

    async def test_are_not_for_everybody_to_define(self, api: Api) -> None:
        answer = await api.post("/v1/monitors", MONITOR, by="oleg")
        assert (answer.status_code, api.features.asked) == (403, [])
        assert answer.json()["reasons"][0]["rule"] == "role.not_granted"

    async def test_are_loosened_by_their_owners_within_bounds(self, api: Api) -> None:
        await api.post("/v1/monitors", MONITOR, by="anna")
        path, body = "/v1/monitors/credit-default.1/thresholds", {"reason": "season", "thresholds": {"major": 0.2}}
        assert (await api.post(path, body, by="anna")).status_code == 403
        assert (await api.post(path, body, by="boris")).status_code == 201
        loose = body | {"thresholds": {"major": 0.2, "gini_fall": None}}
        assert (await api.post(path, loose, by="boris")).json()["reasons"][0]["rule"] == "thresholds.too_loose"
        retire = await api.post("/v1/monitors/credit-default.1/retirement", {"reason": "replaced"}, by="boris")
        assert retire.json()["facts"][0]["type"] == "monitoring.monitor.retired"


def labels(columns: Mapping[str, Any], month: int) -> dict[str, Any]:
    rows = [
        {
            "entity_id": str(account),
            "as_of": f"2005-0{month}-01T00:00:00Z",
            "label": label,
            "known_at": f"2005-0{month + 1}-01T00:00:00Z",
        }
        for account, label in zip(columns["account_id"], columns["label"], strict=True)
    ]
    return {"entity": "account_id", "definition": "default", "rows": rows}


class TestOutcomes:
    async def test_are_taken_late_and_show_as_quality(self, api: Api, months: Any) -> None:
        await api.post("/v1/monitors", MONITOR, by="anna")
        await api.service.project(Monitors)
        await api.service.decide("credit-default.1", 5, months[5])
        answer = await api.post("/v1/outcomes", labels(months[5], 5), by="bank-app")
        assert answer.status_code == 201, answer.text
        await api.service.project(Labelled)
        (cohort,) = await api.get("/v1/monitors/credit-default.1/quality")
        assert (cohort["bucket"], cohort["decisions"], cohort["labelled"]) == ("2005-05", 2_000, 2_000)
        assert cohort["gini_low"] < cohort["gini"] < cohort["gini_high"]
        (before,) = await api.get("/v1/monitors/credit-default.1/quality?as_of=2005-05-31T00:00:00Z")
        assert (before["labelled"], before["gini"]) == (0, None)

    @pytest.mark.parametrize(
        "change",
        [{"label": 2}, {"as_of": "2005-05-01"}, {"known_at": "2005-04-01T00:00:00Z"}, {"entity_id": ""}],
    )
    async def test_that_are_nonsense_are_refused(self, api: Api, change: dict[str, Any]) -> None:
        row = {"entity_id": "1", "as_of": "2005-05-01T00:00:00Z", "label": 1, "known_at": "2005-06-01T00:00:00Z"}
        body = {"entity": "account_id", "rows": [{**row, **change}]}
        assert (await api.post("/v1/outcomes", body, by="bank-app")).status_code in {409, 422}
        assert (await api.post("/v1/outcomes", body | {"rows": []}, by="bank-app")).status_code == 422


class TestAlerts:
    async def test_are_acknowledged_and_resolved_by_those_who_answer_for_the_model(self, api: Api, months: Any) -> None:
        await api.post("/v1/monitors", MONITOR, by="anna")
        await api.service.project(Monitors)
        for month in (8, 9):
            await api.service.decide("credit-default.1", month, months[month])
        await api.service.judge()
        (alert,) = [one for one in await api.get("/v1/alerts?state=open") if one["kind"] == "contract"]
        assert alert["text"].startswith("status code 1: ")
        path = f"/v1/alerts/{alert['alert_id']}"
        assert (await api.post(f"{path}/acknowledgements", {"comment": "looking"}, by="anna")).status_code == 201
        resolution = {"verdict": "confirmed", "comment": "upstream recoded status 1"}
        refused = await api.post(f"{path}/resolutions", resolution, by="anna")
        assert refused.json()["reasons"][0]["rule"] == "alert.critical_resolution"
        assert (await api.post(f"{path}/resolutions", resolution, by="boris")).status_code == 201
        assert (await api.post(f"{path}/resolutions", resolution, by="boris")).json()["code"] == "alert.resolved"
        await api.service.project(Alerts)
        shown = await api.get(path)
        assert (shown["state"], shown["acknowledged_by"], shown["resolved_by"]) == ("resolved", "anna", "boris")

    async def test_that_nobody_raised_are_unknown(self, api: Api) -> None:
        answer = await api.post(
            "/v1/alerts/00000000-0000-0000-0000-000000000000/acknowledgements", {"comment": ""}, by="anna"
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "alert.unknown")


class TestProfiles:
    async def test_show_psi_by_feature_and_bucket(self, api: Api, months: Any) -> None:
        await api.post("/v1/monitors", MONITOR, by="anna")
        await api.service.project(Monitors)
        await api.service.decide("credit-default.1", 9, months[9])
        monitor = (await api.service.watching())[0]
        await api.service.project(profile_of(monitor))
        (bucket,) = await api.get("/v1/monitors/credit-default.1/profiles")
        assert (bucket["bucket"], bucket["rows"], bucket["score_psi"]) == ("2005-09", 2_000, 0.0)
        shown = {one["feature"]: one for one in bucket["features"]}
        assert shown["status"]["psi"] > 0.25
        assert shown["status"]["special"]["unseen"] == months[9]["status"].count(1)
        assert 0 < shown["utilisation"]["ks"] < 1
        assert not await api.get("/v1/monitors/credit-default.1/profiles?since=2005-10-01T00:00:00Z")
