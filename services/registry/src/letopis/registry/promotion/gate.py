"""The gate of a promotion: what the version's tier asks for, looked up in our own streams and asked of policy."""

from dataclasses import dataclass

from letopis.common.envelope import Authorization
from letopis.common.errors import NotFound
from letopis.common.http import Call, Object
from letopis.registry.break_glass.decider import BREAK_GLASS
from letopis.registry.model.decider import MODEL
from letopis.registry.model.decider import Registered as KnownModel
from letopis.registry.use_case.decider import USE_CASE, Approved, Proposed, Rejected
from letopis.registry.version.decider import VERSION, Registered

STRICTEST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A version, its tier, and what policy asks for it."""

    version: Registered
    tier: int
    use_case_state: str
    evidence_required: tuple[str, ...]
    approvals_needed: int
    authorization: Authorization

    @property
    def use_case_approved(self) -> bool:
        return self.use_case_state == "approved"


async def gate_of(call: Call, version_id: str) -> Gate:
    """Authorize the call's action on this version; NotFound, or Forbidden by policy.

    A model without a use case counts as the strictest tier.
    """
    version = (await call.load(VERSION, version_id)).state
    if not isinstance(version, Registered):
        raise NotFound(f"there is no version {version_id}")
    model = (await call.load(MODEL, version.model_id)).state
    tier, state = STRICTEST, "none"
    if isinstance(model, KnownModel) and model.use_case_id is not None:
        match (await call.load(USE_CASE, model.use_case_id)).state:
            case Approved(tier=tier):
                state = "approved"
            case Proposed(tier=tier):
                state = "proposed"
            case Rejected():
                state = "rejected"
            case _:
                pass
    authorization = await call.authorize(
        Object(type="version", id=version_id, attributes={"model_id": version.model_id}),
        facts={
            "tier": tier,
            "author": version.author,
            "use_case": state,
            "emergencies_reviewed": await emergencies_reviewed(call, version.model_id),
        },
    )
    terms = {one["type"]: one for one in authorization.result["obligations"]}
    return Gate(
        version=version,
        tier=tier,
        use_case_state=state,
        evidence_required=tuple(terms["evidence"]["kinds"]),
        approvals_needed=int(terms["approvals"]["count"]),
        authorization=authorization,
    )


async def emergencies_reviewed(call: Call, model_id: str) -> bool:
    """Whether no emergency of the model still owes its review."""
    return not (await call.load(BREAK_GLASS, model_id)).state.unreviewed
