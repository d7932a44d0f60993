"""Acts: use case, evidence, a self-approval refused, another person's signature, rollback."""

import time
from typing import Any

from e2e.journey.modelling import MODEL, USE_CASE, Candidate, fit, saved
from e2e.journey.world import Problem, World


def intake(world: World) -> None:
    """Anna proposes the use case, Vera approves it as risk officer."""
    anna = world["anna"]
    anna.post("registry", "/v1/models", {"model_id": MODEL, "name": "Default on cards", "owner": "boris"})
    body = {
        "use_case_id": USE_CASE,
        "name": "Limits of credit cards",
        "goal": "Lower limits before an account defaults",
        "owner": "boris",
        "decision_domain": "credit",
        "customer_reach": "mass",
        "materiality": "high",
    }
    tier = anna.post("registry", "/v1/use-cases", body)["facts"][0]["data"]["tier"]
    world["vera"].post("registry", f"/v1/use-cases/{USE_CASE}/approvals", {"comment": "within risk appetite"})
    anna.post("registry", f"/v1/models/{MODEL}/use-case", {"use_case_id": USE_CASE})
    world.tell("Vera", f"approves the use case {USE_CASE}, risk tier {tier}")


def evidence(world: World, version: dict[str, Any], candidate: Candidate, table: Any) -> None:
    """Checks that were really made, each with its numbers; the validation report is Vera's."""
    version_id = version["version_id"]
    again = saved(candidate.flavour, fit(candidate.flavour, table))
    same = again == candidate.artifact
    found = [
        ("reproducible_build", same, "trained twice, the same bytes" if same else "trained twice, other bytes", {}),
        ("out_of_time_quality", candidate.gini > 0.3, f"Gini {candidate.gini:.3f}", {"gini": candidate.gini}),
        ("explainability", True, f"strongest input {candidate.strongest}", {"strongest": candidate.strongest}),
        (
            "fairness",
            candidate.approval_ratio >= 0.8,
            f"approval ratio between sexes {candidate.approval_ratio:.3f}",
            {"approval_ratio": candidate.approval_ratio},
        ),
    ]
    for kind, passed, summary, numbers in found:
        body = {"kind": kind, "outcome": "passed" if passed else "failed", "summary": summary, "numbers": numbers}
        world["anna"].post("registry", f"/v1/versions/{version_id}/evidence", body)
    paper = {"outcome": "passed", "attachment": version["document"]}
    world["anna"].post(
        "registry", f"/v1/versions/{version_id}/evidence", {**paper, "kind": "documentation", "summary": "development"}
    )
    world["vera"].post(
        "registry",
        f"/v1/versions/{version_id}/evidence",
        {**paper, "kind": "validation_report", "summary": "checked out of time, no objection"},
    )


def request(world: World, version_id: str) -> dict[str, Any]:
    """Anna requests production; what is to be signed."""
    made = world["anna"].post("registry", "/v1/promotions", {"version_id": version_id, "comment": "ready"})
    fact: dict[str, Any] = made["facts"][0]["data"]
    return fact


def signed(world: World, asked: dict[str, Any], login: str, verdict: str = "approve") -> dict[str, Any]:
    """The body of an approval, signed with the person's own key over exactly the digests asked for."""
    actor = world[login]
    digests = {name: asked[name] for name in ("version_digest", "environment_digest", "policy_revision")}
    statement = {
        "promotion": asked["promotion_id"],
        "verdict": verdict,
        "person": login,
        "key_id": actor.key_id,
        **digests,
    }
    body = {"verdict": verdict, "key_id": actor.key_id, "comment": "read and agreed", **digests}
    return body | {"signature": actor.sign(statement)}


def self_approval(world: World, asked: dict[str, Any]) -> Problem:
    """Anna tries to approve her own version; the refusal."""
    path = f"/v1/promotions/{asked['promotion_id']}/approvals"
    return world["anna"].refused("POST", "registry", path, json=signed(world, asked, "anna"))


def approve(world: World, asked: dict[str, Any], login: str) -> dict[str, Any]:
    """Another person signs."""
    path = f"/v1/promotions/{asked['promotion_id']}/approvals"
    return world[login].post("registry", path, signed(world, asked, login))


def roll_back(world: World, reason: str, answered_by: str, application: str) -> float:
    """Boris rolls back; seconds until scoring answers with the version before."""
    began = time.monotonic()
    world["boris"].post("registry", f"/v1/models/{MODEL}/rollbacks", {"reason": reason})

    def back() -> bool:
        served = world["olga"].get("inference", "/v1/deployments")
        return any(one["application"] == application and one["version_id"] == answered_by for one in served)

    world.until("the version before", back, 60)
    return time.monotonic() - began
