"""Bundles: features of exact view versions under the names by which models know them."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.bundle import views
from letopis.features.bundle.decider import (
    BUNDLE,
    BundleEmpty,
    BundleUnchanged,
    EntitiesDiffer,
    FeatureTwice,
    RegisterBundle,
)
from letopis.features.bundle.events import BundleFeature
from letopis.features.bundle.loading import ViewUnknown, view_of
from letopis.features.naming import Id

router = APIRouter(prefix="/v1/bundles", tags=["bundle"])

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class FeatureIn(Body):
    """A feature of a view version; `name` if models are to know it by another. `feature` "*" takes all of them."""

    view_id: str
    feature: str = "*"
    name: str = ""


class BundleIn(Body):
    name: Slug
    features: list[FeatureIn]


class BundleOut(BaseModel):
    bundle_id: str
    name: str
    number: int
    entity: str
    key: str
    features: list[dict[str, Any]]
    owner: str
    registered_at: str


@router.post(
    "",
    status_code=201,
    response_model=Receipt,
    responses=problems(ViewUnknown, BundleEmpty, EntitiesDiffer, FeatureTwice, BundleUnchanged),
)
async def register(body: BundleIn, call: Annotated[Call, governed("features.bundle.register")]) -> Response:
    authorization = await call.authorize(Object(type="bundle", id=body.name))
    features: list[BundleFeature] = []
    entities: set[tuple[str, str]] = set()
    for asked in body.features:
        view = await view_of(call.load, asked.view_id)
        entities.add((view.entity, view.key))
        found = [one for one in view.features if asked.feature in {"*", one.name}]
        if not found:
            raise ViewUnknown(f"{asked.view_id} has no feature {asked.feature}")
        features += [
            BundleFeature(
                name=(asked.name if asked.feature != "*" else "") or one.name,
                view_id=view.view_id,
                feature=one.name,
                type=one.type,
                cls=one.cls,
                kind=one.kind,
            )
            for one in found
        ]
    command = RegisterBundle(
        name=body.name,
        entities=frozenset(entities),
        features=tuple(features),
        owner=call.caller.person or call.caller.login,
    )
    return call.receipt(await call.handle(BUNDLE, body.name, command, authorization))


@router.get("")
async def bundles(call: Annotated[Call, governed("features.bundle.list", delegable=True)]) -> list[BundleOut]:
    await call.authorize(Object(type="bundle", id="*"))
    return [BundleOut(**one) for one in await views.bundles(call.views)]


@router.get("/{bundle_id}", responses=problems(NotFound))
async def bundle(bundle_id: Id, call: Annotated[Call, governed("features.bundle.read", delegable=True)]) -> BundleOut:
    await call.authorize(Object(type="bundle", id=bundle_id))
    found = await views.bundles(call.views, bundle_id)
    if not found:
        raise NotFound(f"there is no bundle {bundle_id}")
    return BundleOut(**found[0])
