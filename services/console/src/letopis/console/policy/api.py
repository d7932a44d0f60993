"""The pages of policy: a form over what is in force, and a draft with its rehearsal, to publish as a second person."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

import httpx
import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from letopis.common.errors import Invalid
from letopis.common.http import Call, Object, governed, problems
from letopis.console.page.owners import OwnerAway, OwnerSays
from letopis.console.page.rendering import show
from letopis.console.policy import forms

router = APIRouter(tags=["policy"])
DOORS = {"rehearse": "rehearsals", "publish": "publication", "withdraw": "withdrawal"}
# A rehearsal asks thousands of recorded decisions again.
PATIENCE = 150.0


class NothingTyped(Invalid):
    """The form is as it was."""

    code = "policy.nothing_typed"
    title = "Change a value or a mode first; nothing in the form differs from what is in force"


@router.get("/policies", responses=problems(OwnerAway))
async def policies(call: Annotated[Call, governed("console.page.read")]) -> Response:
    await call.authorize(Object(type="page", id="policies"))
    owners = call.resources.owners
    policy = await owners.document(call, "registry", "/v1/policy")
    releases = await owners.document(call, "registry", "/v1/policy-releases")
    return show(call, "policies.html", policy=policy, rooms=forms.grouped(policy["settings"]), releases=releases)


@router.post("/policies", responses=problems(OwnerAway, NothingTyped, forms.NotReadable))
async def draft(request: Request, call: Annotated[Call, governed("console.page.act", read=True)]) -> Response:
    """Drafts what differs in the form, as the person who clicked, and shows the draft."""
    await call.authorize(Object(type="page", id="policies"))
    form = await _form(request)
    policy = await call.resources.owners.document(call, "registry", "/v1/policy")
    changes = forms.changes(policy, form)
    if not changes:
        raise NothingTyped
    body = {"title": form.get("title", ""), "reason": form.get("reason", ""), "changes": changes}
    answer = await _pass_on(call, "/v1/policy-releases", body)
    release_id = msgspec.json.decode(answer.body)["facts"][0]["data"]["release_id"]
    return _back(f"/policies/{release_id}", answer)


@router.get("/policies/{release_id}", responses=problems(OwnerAway))
async def release(release_id: str, call: Annotated[Call, governed("console.page.read")]) -> Response:
    """A draft: what it changes, and once it is rehearsed who would be answered otherwise; then it can be published."""
    await call.authorize(Object(type="page", id="policies"))
    path = f"/v1/policy-releases/{quote(release_id, safe='')}"
    known = await call.resources.owners.document(call, "registry", path)
    rehearsal = (
        await call.resources.owners.document(call, "registry", f"{path}/rehearsal") if known["rehearsal"] else None
    )
    changes = {path: forms.shown(value) for path, value in known["changes"].items()}
    return show(call, "policy.html", release=known, changes=changes, rehearsal=rehearsal)


@router.post("/policies/{release_id}/{deed}", responses=problems(OwnerAway))
async def act(
    release_id: str,
    deed: Literal["rehearse", "publish", "withdraw"],
    request: Request,
    call: Annotated[Call, governed("console.page.act", read=True, deadline=180)],
) -> Response:
    """Hands the deed to the registry as the person who clicked; the registry decides."""
    await call.authorize(Object(type="page", id="policies"))
    form = await _form(request)
    body = {
        name: form[name] for name in {"publish": ("rehearsal",), "withdraw": ("reason",)}.get(deed, ()) if name in form
    }
    answer = await _pass_on(call, f"/v1/policy-releases/{quote(release_id, safe='')}/{DOORS[deed]}", body)
    return _back(f"/policies/{quote(release_id, safe='')}", answer)


async def _form(request: Request) -> dict[str, str]:
    typed = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: told[0] for name, told in typed.items()}


async def _pass_on(call: Call, path: str, body: dict[str, Any]) -> Response:
    answer: Response = await call.resources.owners.pass_on(
        call, "registry", path, msgspec.json.encode(body), {"content-type": "application/json"}, PATIENCE
    )
    if answer.status_code >= 400:
        raise OwnerSays("registry", httpx.Response(answer.status_code, content=bytes(answer.body)))
    return answer


def _back(path: str, answer: Response) -> Response:
    back = RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})
    back.raw_headers.extend(one for one in answer.raw_headers if one[0] == b"set-cookie")
    return back
