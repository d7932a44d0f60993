"""Issuing a key for a notebook, shown once, and revoking it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from fastapi import Response as HttpResponse
from pydantic import BaseModel, Field

from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.common.identity import notebook_key
from letopis.registry.notebook_key.decider import (
    NOTEBOOK_KEY,
    IssueNotebookKey,
    NotebookKeyUnknown,
    RevokeNotebookKey,
)
from letopis.registry.use_case.decider import USE_CASE, Approved

router = APIRouter(prefix="/v1/notebook-keys", tags=["notebook_key"])


class NotebookKeyIn(Body):
    """What the notebook is for; a key is good for nothing else."""

    purpose: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,127}$")]
    use_case_id: Annotated[str, Field(min_length=1, max_length=200)]
    days: Annotated[int, Field(ge=1, le=365)] = 7


class NotebookKeyOut(BaseModel):
    """`key` is shown this once; only its hash is kept."""

    key_id: str
    key: str
    purpose: str
    use_case_id: str
    until: str
    position: str


@router.post("", status_code=201)
async def issue(
    body: NotebookKeyIn, call: Annotated[Call, governed("registry.notebook_key.issue")], response: HttpResponse
) -> NotebookKeyOut:
    """A key of the caller's own, sent as `Authorization: Bearer ...` by a notebook."""
    approved = isinstance((await call.load(USE_CASE, body.use_case_id)).state, Approved)
    authorization = await call.authorize(
        Object(type="use_case", id=body.use_case_id, attributes={"days": body.days}),
        facts={"use_case_approved": approved},
    )
    secret, now, key_id = notebook_key.new_secret(), call.now(), call.new_id()
    command = IssueNotebookKey(
        key_id=key_id,
        login=call.caller.login,
        person=call.caller.person,
        hash=notebook_key.hashed(secret),
        purpose=body.purpose,
        use_case_id=body.use_case_id,
        at=now,
        until=now + timedelta(days=body.days),
    )
    # A command of its own each time: the secret is in no fact, so an earlier answer could not be given again.
    handled = await call.handle_also(NOTEBOOK_KEY, key_id, command, authorization, key_id)
    position = f"{handled.ledger}/{handled.position}"
    response.headers["Letopis-Position"] = position
    response.headers["Cache-Control"] = "no-store"
    return NotebookKeyOut(
        key_id=key_id,
        key=notebook_key.spelled(key_id, command.login, secret),
        purpose=command.purpose,
        use_case_id=command.use_case_id,
        until=command.until.isoformat(),
        position=position,
    )


@router.delete("/{key_id}", status_code=201, response_model=Receipt, responses=problems(NotebookKeyUnknown))
async def revoke(
    key_id: str, call: Annotated[Call, governed("registry.notebook_key.revoke")], reason: str = ""
) -> HttpResponse:
    state = (await call.load(NOTEBOOK_KEY, key_id)).state
    authorization = await call.authorize(
        Object(type="notebook_key", id=key_id), facts={"own": bool(state.login) and state.login == call.caller.login}
    )
    command = RevokeNotebookKey(by=call.caller.person, reason=reason)
    return call.receipt(await call.handle(NOTEBOOK_KEY, key_id, command, authorization))
