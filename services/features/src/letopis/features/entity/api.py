"""Entities: what features are about."""

from typing import Annotated

from fastapi import APIRouter, Response

from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.features.entity.decider import ENTITY, EntityExists, RegisterEntity
from letopis.features.naming import Text, Word

router = APIRouter(prefix="/v1/entities", tags=["entity"])


class EntityIn(Body):
    entity: Word
    key: Word
    description: Text = ""


@router.post("", status_code=201, response_model=Receipt, responses=problems(EntityExists))
async def register(body: EntityIn, call: Annotated[Call, governed("features.entity.register")]) -> Response:
    authorization = await call.authorize(Object(type="entity", id=body.entity))
    command = RegisterEntity(entity=body.entity, key=body.key, description=body.description)
    return call.receipt(await call.handle(ENTITY, body.entity, command, authorization))
