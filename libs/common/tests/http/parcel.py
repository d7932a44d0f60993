"""A service to try the kit on: parcels are sent, once, by somebody who did not pack them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel

from letopis.common.clock import FixedClock
from letopis.common.decider import Aggregate, Decider
from letopis.common.errors import NotFound, Refused
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.handling import Desk
from letopis.common.http import (
    Call,
    Object,
    Receipt,
    Resources,
    create_service,
    governed,
    ledger_door,
    problems,
    public,
)
from letopis.common.identity.caller import Principal
from letopis.common.identity.claims import Claims, TokenRefused
from letopis.common.policy import Policy
from letopis.common.sealing import Keyring
from letopis.common.serialization import Catalogue
from letopis.common.settings import ServiceSettings
from letopis.common.testing.sealing import MemoryKeyStore

NOW = datetime(2026, 11, 21, 6, 55, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSent:
    parcel_id: str
    sender: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SendParcel:
    parcel_id: str
    sender: str
    weight: float


class AlreadySent(Refused):
    """A parcel leaves once."""

    code = "parcel.already_sent"
    title = "The parcel was sent already"


def decide(state: bool, command: SendParcel) -> Sequence[ParcelSent]:
    if state:
        raise AlreadySent
    return [ParcelSent(parcel_id=command.parcel_id, sender=command.sender, weight=command.weight)]


FACTS = Catalogue([("demo.parcel.sent", 1, ParcelSent)])
PARCEL = Aggregate("parcel", Decider[SendParcel, ParcelSent, bool](False, decide, lambda _, __: True), FACTS)
router = APIRouter(prefix="/v1/parcels", tags=["parcel"])


class ParcelIn(BaseModel):
    weight: float
    packer: str
    gift: bool = False


@router.post(
    "/{parcel_id}/dispatch", status_code=201, response_model=Receipt, responses=problems(AlreadySent, NotFound)
)
async def send(parcel_id: str, body: ParcelIn, call: Annotated[Call, governed("demo.parcel.send")]) -> Response:
    authorization = await call.authorize(
        Object(type="parcel", id=parcel_id, attributes={"kilograms": body.weight, "gift": body.gift}),
        facts={"packer": body.packer},
    )
    command = SendParcel(parcel_id=parcel_id, sender=call.caller.person, weight=body.weight)
    return call.receipt(await call.handle(PARCEL, parcel_id, command, authorization))


@router.get("/{parcel_id}", responses=problems(NotFound))
async def read(parcel_id: str, call: Annotated[Call, governed("demo.parcel.read")]) -> dict[str, Any]:
    await call.authorize(Object(type="parcel", id=parcel_id))
    await call.views.rows(SentView, None)
    return {"parcel_id": parcel_id, "sent": (await call.load(PARCEL, parcel_id)).state}


@router.get("/{parcel_id}/label")
async def label(parcel_id: str, call: Annotated[Call, governed("demo.parcel.read")]) -> dict[str, str]:
    """Forgets to ask policy."""
    return {"label": parcel_id}


@router.get("/{parcel_id}/crash")
async def crash(parcel_id: str, call: Annotated[Call, governed("demo.parcel.read")]) -> dict[str, str]:
    raise ZeroDivisionError(f"the secret of {parcel_id} is 4111111111111111")


@router.get("/{parcel_id}/slow")
async def slow(
    parcel_id: str, request: Request, call: Annotated[Call, governed("demo.parcel.read", deadline=0.05)]
) -> None:
    await request.app.state.never.wait()


@router.put("/{parcel_id}/picture")
async def picture(
    parcel_id: str,
    request: Request,
    call: Annotated[Call, governed("demo.parcel.read", body_limit=100, streamed=True)],
) -> dict[str, int]:
    await call.authorize(Object(type="parcel", id=parcel_id))
    return {"bytes": sum([len(part) async for part in request.stream()])}


@router.get("/tariff/all")
@public
async def tariff() -> dict[str, int]:
    return {"kilogram": 1}


class SentView:
    name = "sent"
    sources = {"demo": FACTS}


@dataclass
class Verifier:
    """Knows tokens by name: `boris` is Boris."""

    async def verify(self, token: str) -> Claims:
        if token not in {"anna", "boris", "irina", "olga", "features"}:
            raise TokenRefused
        return Claims(
            login=f"service:{token}" if token == "features" else token,
            person=token,
            issuer="http://issuer",
            issued_at=NOW,
            expires_at=NOW + timedelta(hours=1),
            service=token if token == "features" else "",
        )


@dataclass
class Directory:
    roles: dict[str, frozenset[str]] = field(
        default_factory=lambda: {
            "anna": frozenset({"operator"}),
            "boris": frozenset({"operator"}),
            "irina": frozenset({"auditor"}),
            "olga": frozenset({"consumer"}),
        }
    )
    at: int = 7

    async def reach(self, positions: Mapping[str, int], timeout: float) -> None:  # noqa: ASYNC109 as the directory's
        if positions.get("registry", 0) > self.at:
            raise TimeoutError

    async def find(self, login: str) -> Principal | None:
        if login not in self.roles:
            return None
        return Principal(login=login, person=login, name=login, kind="human", roles=self.roles[login], keys={})


@dataclass
class Views:
    """At position 7, and stays there."""

    waited: list[dict[str, int]] = field(default_factory=list)

    async def rows(self, view: Any, statement: Any) -> list[Any]:
        return []

    async def wait(self, view: Any, positions: dict[str, int], timeout: float) -> None:  # noqa: ASYNC109 as the reader's
        self.waited.append(dict(positions))
        if max(positions.values()) > 7:
            raise TimeoutError


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The application with the parts behind it, to look into."""

    app: FastAPI
    client: httpx.AsyncClient
    store: MemoryEventStore
    policy: Policy
    views: Views
    directory: Directory

    async def send(self, parcel_id: str = "p-1", *, by: str = "boris", key: str = "", **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Letopis-Purpose": "deliveries"}
        if key:
            headers["Idempotency-Key"] = key
        content = {"weight": 3.0, "packer": "anna"} | body
        return await self.client.post(f"/v1/parcels/{parcel_id}/dispatch", json=content, headers=headers)

    async def get(self, path: str, *, by: str = "boris", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"Authorization": f"Bearer {by}"} | named)


@asynccontextmanager
async def open_shop(
    opa_url: str,
    *,
    store: Any = None,
    routers: Sequence[APIRouter] = (),
    make: Callable[..., FastAPI] = create_service,
) -> AsyncIterator[Shop]:
    clock = FixedClock(NOW)
    store = store or MemoryEventStore(clock)
    policy, views, directory = Policy(opa_url, "demo", clock), Views(), Directory()

    @asynccontextmanager
    async def resources() -> AsyncIterator[Resources]:
        async with httpx.AsyncClient() as http:
            yield Resources(
                settings=ServiceSettings(),
                service="demo",
                clock=clock,
                store=store,
                desk=Desk(store, "demo"),
                policy=policy,
                verifier=Verifier(),
                directory=directory,
                views=views,
                http=http,
                keyring=Keyring(MemoryKeyStore()),
            )
        await policy.close()

    app = make("Parcels", "demo", ServiceSettings(), [router, ledger_door("demo", ["demo"]), *routers], resources)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://demo") as client,
    ):
        yield Shop(app=app, client=client, store=store, policy=policy, views=views, directory=directory)
