"""The registry as strangers, policy and its own read models see it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import letopis.registry as package
from letopis.common.policy import lint, trial
from letopis.common.policy.sources import collect
from letopis.common.testing.routes import assert_guarded
from letopis.common.testing.views import check_view
from letopis.registry.worker import VIEWS

ROOMS = collect([Path(package.__file__).parents[1]])


async def test_every_route_is_guarded(registry):
    await assert_guarded(registry.app, public={"GET /healthz", "GET /readyz", "GET /metrics", "GET /v1/keys"})


def test_policies_are_well_written_and_every_rule_is_missed_when_dropped():
    assert lint.lint(ROOMS) == []
    result = trial.run(ROOMS)
    assert list(result.failed) == []
    assert len(result.passed) >= 35


async def test_every_read_model_is_a_fold(staffed):
    """After a life of two promotions and a rollback, any cuts of the history end in the same rows."""
    for content in (b"{}", b"[]"):
        await staffed.promote(await staffed.ready(content))
    await staffed.post("/v1/models/credit/rollbacks", "boris", {"reason": "the second one drifts"})
    await staffed.post("/v1/sessions", "boris", {"cores": 4, "memory_gb": 8})
    await release(staffed)
    await lend_and_break(staffed)
    records = await staffed.resources.store.read("registry", 0, 1000)
    for view in VIEWS:
        rows = check_view(view, records)
        assert any(rows.values()), view.name


async def release(registry):
    """A change of policy, from its draft to its publication by another."""
    changes = {"overlays/retail/settings/registry/session/cap/cores": 16}
    await registry.post("/v1/principals/boris/groups", "olga", {"group": "policy:retail"})
    body = {"title": "Smaller", "reason": "the machines are full", "changes": changes}
    draft = (await registry.post("/v1/policy-releases", "vera", body)).json()["facts"][0]["data"]
    path = f"/v1/policy-releases/{draft['release_id']}"
    seen = (await registry.post(f"{path}/rehearsals", "vera", {"newest": 10})).json()["facts"][0]["data"]
    assert (await registry.post(f"{path}/publication", "boris", {"rehearsal": seen["sha256"]})).status_code == 201


async def lend_and_break(registry):
    """A role lent for a day, and an emergency."""
    await registry.post("/v1/principals", "olga", {"login": "pavel", "person": "pavel", "name": "Pavel", "roles": []})
    day = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    loan = {"login": "pavel", "role": "risk_officer", "until": day, "reason": "away"}
    assert (await registry.post("/v1/delegations", "vera", loan)).status_code == 201
    body = {"version_id": await registry.version(b"{ }"), "reason": "the model refuses every client", "hours": 1}
    assert (await registry.post("/v1/models/credit/break-glass", "boris", body)).status_code == 201
