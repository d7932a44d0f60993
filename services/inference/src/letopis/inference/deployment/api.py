"""Deployments over HTTP: deploy, grant, revoke, retire, list."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.inference.deployment import views
from letopis.inference.deployment.decider import (
    DEPLOYMENT,
    Active,
    AlreadyDeployed,
    AlreadyGranted,
    Deploy,
    DigestDiffers,
    GrantConsumer,
    NotDeployed,
    NotGranted,
    NotPromoted,
    Retire,
    RevokeConsumer,
    deployment_id,
)
from letopis.inference.scoring.servable import ArtifactBad, MonitorsMissing, SignatureInvalid

router = APIRouter(prefix="/v1", tags=["deployment"])

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
ApiVersion = Annotated[str, Field(pattern=r"^v[1-9][0-9]{0,3}$")]


class DeploymentIn(Body):
    """`follows` "production" goes with the model's promotions and rollbacks, "version" stays with this version."""

    application: Name
    api_version: ApiVersion = "v1"
    version_id: str
    follows: Literal["production", "version"] = "production"
    consumers: list[str] = []
    most_rows: Annotated[int, Field(ge=1, le=1000)] = 1000


class ConsumerIn(Body):
    consumer: str


class RetirementIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class DeploymentOut(BaseModel):
    deployment_id: str
    application: str
    api_version: str
    state: str
    model_id: str
    version_id: str
    version_digest: str
    follows: str
    consumers: list[str]
    most_rows: int
    deployed_by: str
    since: str
    note: str


@router.post(
    "/deployments",
    status_code=201,
    response_model=Receipt,
    responses=problems(
        NotPromoted, DigestDiffers, AlreadyDeployed, SignatureInvalid, MonitorsMissing, ArtifactBad, NotFound
    ),
)
async def deploy(body: DeploymentIn, call: Annotated[Call, governed("inference.deployment.deploy")]) -> Response:
    found = await views.candidate(call.views, body.version_id)
    if found is None:
        raise NotFound(f"the registry has told of no version {body.version_id}")
    id = deployment_id(body.application, body.api_version)
    authorization = await call.authorize(
        Object(type="deployment", id=id, attributes={"version_id": body.version_id}), facts={"author": found.author}
    )
    # What cannot be loaded is not deployed: signature, monitors and artifacts are checked before the fact.
    servable = await call.resources.serving.prepared(body.version_id)
    command = Deploy(
        application=body.application,
        api_version=body.api_version,
        model_id=servable.bundle.model_id,
        version_id=body.version_id,
        version_digest=servable.bundle.digest,
        promotion=found.promotion,
        follows=body.follows,
        consumers=tuple(body.consumers),
        most_rows=body.most_rows,
        by=call.caller.person,
        at=call.now(),
    )
    handled = await call.handle(DEPLOYMENT, id, command, authorization)
    await call.resources.serving.reached(handled.position)
    return call.receipt(handled)


@router.post(
    "/deployments/{id}/consumers",
    status_code=201,
    response_model=Receipt,
    responses=problems(NotDeployed, AlreadyGranted),
)
async def grant(id: str, body: ConsumerIn, call: Annotated[Call, governed("inference.deployment.grant")]) -> Response:
    command = GrantConsumer(consumer=body.consumer, by=call.caller.person)
    return await _change(call, id, command)


@router.post(
    "/deployments/{id}/consumers/{consumer}/revocations",
    status_code=201,
    response_model=Receipt,
    responses=problems(NotDeployed, NotGranted),
)
async def revoke(id: str, consumer: str, call: Annotated[Call, governed("inference.deployment.revoke")]) -> Response:
    return await _change(call, id, RevokeConsumer(consumer=consumer, by=call.caller.person))


@router.post("/deployments/{id}/retirements", status_code=201, response_model=Receipt, responses=problems(NotDeployed))
async def retire(
    id: str, body: RetirementIn, call: Annotated[Call, governed("inference.deployment.retire")]
) -> Response:
    return await _change(call, id, Retire(reason=body.reason, by=call.caller.person, at=call.now()))


@router.get("/deployments")
async def deployments(call: Annotated[Call, governed("inference.deployment.list")]) -> list[DeploymentOut]:
    await call.authorize(Object(type="deployment", id="*"))
    return [DeploymentOut(**one) for one in await views.deployments(call.views)]


@router.get("/applications")
async def applications(call: Annotated[Call, governed("inference.deployment.applications")]) -> list[dict[str, Any]]:
    """What can be called, with the fields it takes."""
    await call.authorize(Object(type="deployment", id="*"))
    told = []
    for (application, api_version), target in sorted(call.resources.serving.targets.items()):
        plan = target.servable.plan
        told.append(
            {
                "application": application,
                "api_version": api_version,
                "path": f"/v1/score/{application}/{api_version}",
                "model_id": target.active.model_id,
                "version_id": target.active.version_id,
                "version_digest": target.active.version_digest,
                "consumers": list(target.active.consumers),
                "entity": plan.entity,
                "bundle": plan.bundle,
                "inputs": [{"name": one.name, "type": one.kind, "required": one.required} for one in plan.inputs],
            }
        )
    return told


async def _change(call: Call, id: str, command: GrantConsumer | RevokeConsumer | Retire) -> Response:
    state = (await call.load(DEPLOYMENT, id)).state
    attributes = {"version_id": state.version_id} if isinstance(state, Active) else {}
    authorization = await call.authorize(Object(type="deployment", id=id, attributes=attributes))
    handled = await call.handle(DEPLOYMENT, id, command, authorization)
    await call.resources.serving.reached(handled.position)
    return call.receipt(handled)
