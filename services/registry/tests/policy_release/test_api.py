"""A change of policy over the registry's doors: catalogue, draft, rehearsal, publication, withdrawal."""

import pytest

CAP = "settings/registry/session/cap/cores"
RETAIL = f"overlays/retail/{CAP}"


def drafting(changes):
    return {"title": "Smaller sessions", "reason": "the machines are full", "changes": changes}


async def drafted(registry, by, changes):
    answer = await registry.post("/v1/policy-releases", by, drafting(changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["facts"][0]["data"]


@pytest.fixture
async def caring(staffed):
    """Boris looks after the policy of retail."""
    answer = await staffed.post("/v1/principals/boris/groups", "olga", {"group": "policy:retail"})
    assert answer.status_code == 201, answer.text
    return staffed


class TestLife:
    async def test_a_draft_is_rehearsed_and_published_by_another(self, caring):
        await caring.post("/v1/sessions", "anna", {"cores": 48, "memory_gb": 8})
        draft = await drafted(caring, "vera", {RETAIL: 16})
        path = f"/v1/policy-releases/{draft['release_id']}"
        early = await caring.post(f"{path}/publication", "boris", {"rehearsal": "0" * 64})
        assert (early.status_code, early.json()["code"]) == (409, "policy_release.not_rehearsed")
        assert (await caring.get(f"{path}/rehearsal", "irina")).status_code == 404
        rehearsed = (await caring.post(f"{path}/rehearsals", "vera", {"newest": 500})).json()["facts"][0]["data"]
        assert rehearsed["decisions"] > 10
        assert rehearsed["flipped"] == 0, "nobody here is of that department"
        assert set(rehearsed["away"]) == {
            "features",
            "access",
            "inference",
            "decisions",
            "monitoring",
            "audit",
            "console",
        }
        seen = (await caring.get(f"{path}/rehearsal", "irina")).json()
        assert (seen["revision"], seen["flips"]) == (draft["revision"], [])
        own = await caring.post(f"{path}/publication", "vera", {"rehearsal": rehearsed["sha256"]})
        assert (own.status_code, own.json()["reasons"][0]["rule"]) == (403, "release.self_publication")
        done = await caring.post(f"{path}/publication", "boris", {"rehearsal": rehearsed["sha256"]})
        assert done.status_code == 201, done.text
        told = (await caring.get("/v1/policy", "anna")).json()
        assert (told["revision"], told["changes"]) == (draft["revision"], {RETAIL: 16})
        (release,) = (await caring.get("/v1/policy-releases", "anna")).json()
        assert (release["state"], release["ended_by"]) == ("published", "boris")

    async def test_what_does_not_fit_is_named_and_what_is_in_force_is_no_draft(self, staffed):
        answer = await staffed.post("/v1/policy-releases", "vera", drafting({CAP: 0, RETAIL: 65}))
        assert (answer.status_code, answer.json()["code"]) == (422, "policy.change_refused")
        assert len(answer.json()["complaints"]) == 2
        same = await staffed.post("/v1/policy-releases", "vera", drafting({CAP: 64}))
        assert (same.status_code, same.json()["code"]) == (409, "policy_release.nothing_changes")

    async def test_the_author_withdraws_and_nobody_publishes_it_then(self, caring):
        draft = await drafted(caring, "vera", {RETAIL: 16})
        path = f"/v1/policy-releases/{draft['release_id']}"
        other = await caring.post(f"{path}/withdrawal", "boris", {"reason": "not mine"})
        assert other.json()["reasons"][0]["rule"] == "release.other_draft"
        assert (await caring.post(f"{path}/withdrawal", "vera", {"reason": "not needed"})).status_code == 201
        gone = await caring.post(f"{path}/publication", "boris", {"rehearsal": "0" * 64})
        assert (gone.status_code, gone.json()["code"]) == (404, "policy_release.unknown")


class TestScope:
    @pytest.mark.parametrize("changes", [{CAP: 16}, {f"overlays/cards/{CAP}": 16}, {RETAIL: 16, CAP: 16}])
    async def test_who_looks_after_a_department_changes_nothing_else(self, caring, changes):
        answer = await caring.post("/v1/policy-releases", "boris", drafting(changes))
        assert (answer.status_code, answer.json()["reasons"][0]["rule"]) == (403, "release.out_of_scope")
