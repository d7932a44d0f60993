"""Registering principals, their roles, trainings and keys."""

import secrets
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from letopis.common.errors import NotFound
from letopis.common.http import Body, Call, Object, Receipt, governed, problems
from letopis.registry.enrolment.decider import ENROLMENT, EnrolmentOver, UseEnrolment
from letopis.registry.group_role.decider import GROUP_ROLE
from letopis.registry.principal import views
from letopis.registry.principal.decider import (
    PRINCIPAL,
    AttestTraining,
    ChangeEnd,
    EndPrincipal,
    EnrollKey,
    GrantRole,
    JoinGroup,
    KeyInvalid,
    KeyTaken,
    KeyUnknown,
    LeaveGroup,
    PrincipalExists,
    PrincipalGone,
    PrincipalUnknown,
    Register,
    Registered,
    ReportTheft,
    RevokeKey,
    RevokeRole,
    RoleUnknown,
)
from letopis.registry.promotion.signatures import signed_with

router = APIRouter(prefix="/v1/principals", tags=["principal"])

MOST_DAYS = 999_999
Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:._-]{0,63}$")]
Short = Annotated[str, Field(min_length=1, max_length=200)]


class FirstIn(Body):
    """The enrolment token of a new installation, used once."""

    token: str
    person: Login
    name: Short


class PrincipalIn(Body):
    login: Login
    person: Login
    name: Short
    kind: Literal["human", "service"] = "human"
    organisation: str = ""
    until: date | None = None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class PersonIn(Body):
    login: Login
    person: Login
    name: Short


class BatchIn(Body):
    """One template and everybody who is registered after it."""

    kind: Literal["human", "service"] = "human"
    organisation: str = ""
    until: date | None = None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: Annotated[list[PersonIn], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _distinct(self) -> "BatchIn":
        logins = [one.login for one in self.people]
        if twice := sorted({one for one in logins if logins.count(one) > 1}):
            raise ValueError(f"these logins stand there twice: {', '.join(twice)}")
        return self


class EndIn(Body):
    """The last day on which the login may act (UTC); null for no end."""

    until: date | None


class RoleIn(Body):
    role: str


class GroupIn(Body):
    group: Short


class KeyIn(Body):
    """A raw Ed25519 public key, 32 bytes in base64."""

    public_key: str


class TheftIn(Body):
    """From when on somebody else may have had the key."""

    since: AwareDatetime


class TrainingIn(Body):
    """The last day on which it counts (UTC), and the SHA-256 of the certificate or protocol."""

    training: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]
    until: date
    evidence: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class SignatureOut(BaseModel):
    """One verdict signed with a key, and what came of it."""

    promotion_id: str
    model_id: str
    version_id: str
    verdict: str
    at: str
    promotion: str
    in_production: bool


class KeyOut(BaseModel):
    key_id: str
    public_key: str


class PrincipalOut(BaseModel):
    login: str
    person: str
    name: str
    kind: str
    organisation: str
    until: str | None
    state: str
    roles: list[str]
    groups: list[str]
    keys: list[KeyOut]
    trainings: dict[str, str]


def _object(login: str, **attributes: Any) -> Object:
    return Object(type="principal", id=login, attributes={"login": login, **attributes})


def _template(call: Call, body: PrincipalIn | BatchIn) -> dict[str, Any]:
    about = {"roles": sorted(body.roles), "held": [], "kind": body.kind}
    return about | _term(call, body.organisation, body.until)


def _term(call: Call, organisation: str, until: date | None) -> dict[str, Any]:
    """Whose person it is, the bank's own if nothing is said, and for how many days more; no end is very many."""
    days = MOST_DAYS if until is None else (until - call.now().date()).days
    return {"organisation": organisation or "bank", "days": days}


async def _known(call: Call, login: str) -> dict[str, Any]:
    """What policy must know of the principal; of one that is not there `decide` says so."""
    state = (await call.load(PRINCIPAL, login)).state
    if not isinstance(state, Registered):
        return {"held": [], "kind": "human"}
    return {"held": sorted(state.roles), "kind": state.kind}


@router.post("/first", status_code=201, response_model=Receipt, responses=problems(EnrolmentOver))
async def enrol_first(body: FirstIn, call: Annotated[Call, governed("registry.principal.enrol_first")]) -> Response:
    login = call.caller.login
    before = await call.load(ENROLMENT, "first")
    expected = call.resources.enrolment_token
    authorization = await call.authorize(
        _object(login),
        facts={
            "enrolled": before.state.login not in {None, login},
            "token_matches": bool(expected) and secrets.compare_digest(expected.encode(), body.token.encode()),
        },
    )
    await call.handle_also(ENROLMENT, "first", UseEnrolment(login=login), authorization)
    command = Register(
        login=login,
        person=body.person,
        name=body.name,
        kind="human",
        organisation="",
        until=None,
        roles=("administrator", "operator"),
    )
    return call.receipt(await call.handle(PRINCIPAL, login, command, authorization))


@router.post(
    "", status_code=201, response_model=Receipt, responses=problems(PrincipalExists, PrincipalGone, RoleUnknown)
)
async def register(body: PrincipalIn, call: Annotated[Call, governed("registry.principal.register")]) -> Response:
    authorization = await call.authorize(_object(body.login, **_template(call, body)))
    command = Register(**body.model_dump())
    return call.receipt(await call.handle(PRINCIPAL, body.login, command, authorization))


@router.post(
    "/batch", status_code=201, response_model=Receipt, responses=problems(PrincipalExists, PrincipalGone, RoleUnknown)
)
async def register_batch(
    body: BatchIn, call: Annotated[Call, governed("registry.principal.register_batch")]
) -> Response:
    """Everybody or nobody: one that cannot be registered is named, and no fact is left of the others."""
    logins = [one.login for one in body.people]
    authorization = await call.authorize(_object("*", logins=logins, **_template(call, body)))
    await call.resources.keyring.hold(f"person:{one.person}" for one in body.people)
    shared = body.model_dump(exclude={"people"})
    commands = [(one.login, Register(**one.model_dump(), **shared)) for one in body.people]
    return call.receipt(await call.handle_all(PRINCIPAL, commands, authorization))


@router.put(
    "/{login}/end-date", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown, PrincipalGone)
)
async def change_end(
    login: Login, body: EndIn, call: Annotated[Call, governed("registry.principal.change_end")]
) -> Response:
    state = (await call.load(PRINCIPAL, login)).state
    organisation = state.organisation if isinstance(state, Registered) else ""
    kind = (await _known(call, login))["kind"]
    authorization = await call.authorize(_object(login, kind=kind, **_term(call, organisation, body.until)))
    return call.receipt(await call.handle(PRINCIPAL, login, ChangeEnd(until=body.until), authorization))


@router.post(
    "/{login}/roles", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown, RoleUnknown)
)
async def grant_role(
    login: Login, body: RoleIn, call: Annotated[Call, governed("registry.principal.grant_role")]
) -> Response:
    authorization = await call.authorize(_object(login, roles=[body.role], **await _known(call, login)))
    return call.receipt(await call.handle(PRINCIPAL, login, GrantRole(role=body.role), authorization))


@router.delete("/{login}/roles/{role}", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown))
async def revoke_role(
    login: Login, role: str, call: Annotated[Call, governed("registry.principal.revoke_role")]
) -> Response:
    authorization = await call.authorize(_object(login, roles=[role]))
    return call.receipt(await call.handle(PRINCIPAL, login, RevokeRole(role=role), authorization))


@router.post("/{login}/trainings", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown))
async def attest_training(
    login: Login, body: TrainingIn, call: Annotated[Call, governed("registry.principal.attest_training")]
) -> Response:
    """Roles that require it count up to that day; an earlier day ends what was attested before."""
    authorization = await call.authorize(_object(login))
    command = AttestTraining(**body.model_dump(), by=call.caller.person)
    return call.receipt(await call.handle(PRINCIPAL, login, command, authorization))


@router.post("/{login}/groups", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown))
async def join_group(
    login: Login, body: GroupIn, call: Annotated[Call, governed("registry.principal.join_group")]
) -> Response:
    opened = (await call.load(GROUP_ROLE, body.group)).state.roles
    known = await _known(call, login)
    authorization = await call.authorize(_object(login, group=body.group, roles=sorted(opened), **known))
    return call.receipt(await call.handle(PRINCIPAL, login, JoinGroup(group=body.group), authorization))


@router.delete("/{login}/groups/{group}", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown))
async def leave_group(
    login: Login, group: str, call: Annotated[Call, governed("registry.principal.leave_group")]
) -> Response:
    opened = (await call.load(GROUP_ROLE, group)).state.roles
    authorization = await call.authorize(_object(login, group=group, roles=sorted(opened)))
    return call.receipt(await call.handle(PRINCIPAL, login, LeaveGroup(group=group), authorization))


@router.post(
    "/{login}/keys",
    status_code=201,
    response_model=Receipt,
    responses=problems(PrincipalUnknown, KeyInvalid, KeyTaken),
)
async def enroll_key(
    login: Login, body: KeyIn, call: Annotated[Call, governed("registry.principal.enroll_key")]
) -> Response:
    authorization = await call.authorize(_object(login))
    return call.receipt(await call.handle(PRINCIPAL, login, EnrollKey(public_key=body.public_key), authorization))


@router.delete("/{login}/keys/{key_id}", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown))
async def revoke_key(
    login: Login, key_id: str, call: Annotated[Call, governed("registry.principal.revoke_key")], reason: str = ""
) -> Response:
    authorization = await call.authorize(_object(login))
    command = RevokeKey(key_id=key_id, reason=reason)
    return call.receipt(await call.handle(PRINCIPAL, login, command, authorization))


@router.post(
    "/{login}/keys/{key_id}/theft",
    status_code=201,
    response_model=Receipt,
    responses=problems(PrincipalUnknown, PrincipalGone, KeyUnknown),
)
async def report_theft(
    login: Login, key_id: str, body: TheftIn, call: Annotated[Call, governed("registry.principal.report_theft")]
) -> Response:
    """The key is revoked if it still was good; what it signed since then is listed at `signatures`."""
    authorization = await call.authorize(_object(login))
    command = ReportTheft(key_id=key_id, since=body.since, by=call.caller.person)
    return call.receipt(await call.handle(PRINCIPAL, login, command, authorization))


@router.get("/{login}/keys/{key_id}/signatures")
async def signatures(
    login: Login,
    key_id: str,
    call: Annotated[Call, governed("registry.principal.signatures")],
    since: AwareDatetime | None = None,
) -> list[SignatureOut]:
    """Everything signed with the key, or since a moment, the latest first."""
    await call.authorize(_object(login))
    return [SignatureOut(**one) for one in await signed_with(call.views, key_id, since)]


@router.post(
    "/{login}/end", status_code=201, response_model=Receipt, responses=problems(PrincipalUnknown, PrincipalGone)
)
async def end(login: Login, call: Annotated[Call, governed("registry.principal.end")]) -> Response:
    authorization = await call.authorize(_object(login))
    return call.receipt(await call.handle(PRINCIPAL, login, EndPrincipal(at=call.now()), authorization))


@router.get("")
async def principals(call: Annotated[Call, governed("registry.principal.list")]) -> list[PrincipalOut]:
    await call.authorize(_object("*"))
    return [PrincipalOut(**one) for one in await views.everyone(call.views)]


@router.get("/{login}", responses=problems(NotFound))
async def principal(login: Login, call: Annotated[Call, governed("registry.principal.read")]) -> PrincipalOut:
    await call.authorize(_object(login))
    found = await views.one(call.views, login)
    if found is None:
        raise NotFound(f"there is no principal {login}")
    return PrincipalOut(**found)
