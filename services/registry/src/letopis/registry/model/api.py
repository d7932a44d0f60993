"""Models: registered freely, tied to a use case, seen with their versions and their history in production."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.model.decider import MODEL, AssignUseCase, ModelExists, ModelUnknown, RegisterModel
from letopis.registry.use_case.decider import USE_CASE, Unproposed, UseCaseUnknown
from letopis.registry.version import views

router = APIRouter(prefix="/v1/models", tags=["model"])

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ModelIn(Body):
    model_id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    owner: str = ""
    description: str = ""


class AssignmentIn(Body):
    use_case_id: Slug


class ModelOut(BaseModel):
    model_id: str
    name: str
    owner: str
    description: str
    use_case_id: str | None
    versions: int
    in_production: str | None
    since: str | None


class ChangeOut(BaseModel):
    position: int
    version_id: str
    since: str
    how: str
    reason: str


class VersionLine(BaseModel):
    version_id: str
    number: int
    digest: str
    author: str
    registered_at: str


class ModelPage(ModelOut):
    """A model with its versions, newest first, and its history in production, oldest first."""

    all_versions: list[VersionLine]
    history: list[ChangeOut]


@router.post("", status_code=201, response_model=Receipt, responses=problems(ModelExists))
async def register(body: ModelIn, call: Annotated[Call, governed("registry.model.register")]) -> Response:
    authorization = await call.authorize(Object(type="model", id=body.model_id))
    command = RegisterModel(
        model_id=body.model_id,
        name=body.name,
        owner=body.owner or call.caller.person,
        description=body.description,
    )
    return call.receipt(await call.handle(MODEL, body.model_id, command, authorization))


@router.post(
    "/{model_id}/use-case",
    status_code=201,
    response_model=Receipt,
    responses=problems(ModelUnknown, UseCaseUnknown),
)
async def assign_use_case(
    model_id: Slug, body: AssignmentIn, call: Annotated[Call, governed("registry.model.assign_use_case")]
) -> Response:
    authorization = await call.authorize(Object(type="model", id=model_id))
    use_case = await call.load(USE_CASE, body.use_case_id)
    if isinstance(use_case.state, Unproposed):
        raise UseCaseUnknown
    command = AssignUseCase(use_case_id=body.use_case_id)
    return call.receipt(await call.handle(MODEL, model_id, command, authorization))


@router.get("")
async def models(call: Annotated[Call, governed("registry.model.list", delegable=True)]) -> list[ModelOut]:
    await call.authorize(Object(type="model", id="*"))
    return [ModelOut(**one) for one in await views.models(call.views)]


@router.get("/{model_id}", responses=problems(NotFound))
async def model(model_id: Slug, call: Annotated[Call, governed("registry.model.read", delegable=True)]) -> ModelPage:
    await call.authorize(Object(type="model", id=model_id))
    found: list[dict[str, Any]] = [one for one in await views.models(call.views) if one["model_id"] == model_id]
    if not found:
        raise NotFound(f"there is no model {model_id}")
    return ModelPage(
        **found[0],
        all_versions=[
            VersionLine(**{name: one[name] for name in VersionLine.model_fields})
            for one in await views.versions_of(call.views, model_id)
        ],
        history=[
            ChangeOut(**{name: one[name] for name in ChangeOut.model_fields})
            for one in await views.history_of(call.views, model_id)
        ],
    )
