"""The client with a real registry: from a fitted model to its approval by another person."""

import pytest
import sklearn.datasets
from sklearn.linear_model import LogisticRegression

from letopis.local.issuer.people import DEMO
from letopis.sdk import approvals, keys, models
from letopis.sdk.client import Letopis
from letopis.sdk.places import Places
from letopis.sdk.problems import Forbidden, Problem, Refused

EVIDENCE = "out_of_time_quality"


@pytest.fixture
def where(places, registry):
    return Places(urls={**places.urls, "registry": registry.url})


@pytest.fixture
def people(config, where, registry):
    """Clients by login; everybody is registered with the roles of the demonstration."""
    seen: dict[str, int] = {}
    clients = {one.login: Letopis.demo(one.login, purpose="testing", places=where, positions=seen) for one in DEMO}
    first = {"token": registry.enrolment_token, "person": "olga", "name": "Olga"}
    try:
        clients["olga"].registry.post("/v1/principals/first", first)
        for one in DEMO:
            if one.login != "olga":
                body = {"login": one.login, "person": one.person, "name": one.name, "roles": one.roles}
                clients["olga"].registry.post("/v1/principals", body)
        yield clients
    finally:
        for client in clients.values():
            client.close()


@pytest.fixture(scope="module")
def fitted():
    frame = sklearn.datasets.load_breast_cancer(as_frame=True)
    inputs = frame.data.iloc[:, :3]
    return LogisticRegression().fit(inputs, frame.target), inputs


class TestJourney:
    def test_from_a_notebook_to_production(self, people, fitted):
        """A32: the author cannot approve. A26: a denial names rule, owner and remedy."""
        anna, boris, vera = people["anna"], people["boris"], people["vera"]
        model, inputs = fitted
        draft = models.register(model, name="Reader's own", inputs=inputs, client=anna)
        assert draft.version_id == "reader-s-own.1"
        assert {"part owner", "part code", "approved use case"} <= set(draft.missing)

        use_case = {
            "use_case_id": "reading",
            "name": "Reading",
            "goal": "to read",
            "owner": "anna",
            "decision_domain": "other",
            "customer_reach": "internal",
            "materiality": "low",
        }
        anna.registry.post("/v1/use-cases", use_case)
        vera.registry.post("/v1/use-cases/reading/approvals", {"comment": "fine"})
        anna.registry.post("/v1/models/reader-s-own/use-case", {"use_case_id": "reading"})
        version = models.register(
            model,
            name="Reader's own",
            inputs=inputs,
            client=anna,
            owner="anna",
            support_owner="anna",
            code={"commit": "0" * 40},
            training_data=["d-1"],
            monitors=["psi"],
            documents=["0" * 64],
        )
        assert version.number == 2
        assert version.missing == [f"evidence {EVIDENCE}"]
        evidence = {"kind": EVIDENCE, "outcome": "passed", "summary": "good", "numbers": {"gini": 0.7}}
        vera.registry.post(f"/v1/versions/{version.version_id}/evidence", evidence)
        assert models.preview(anna, version.version_id)["ready"]

        promotion = anna.registry.post("/v1/promotions", {"version_id": version.version_id})["id"]
        keys.enroll(anna)
        with pytest.raises((Forbidden, Refused), match=r"four_eyes\.self_approval"):
            approvals.approve(anna, promotion)
        with pytest.raises(Problem, match="letopis key enroll"):
            approvals.approve(boris, promotion)
        mine = keys.enroll(boris)
        receipt = approvals.approve(boris, promotion, "looks good")
        assert [fact["type"] for fact in receipt["facts"]] == [
            "registry.promotion.approved",
            "registry.promotion.completed",
        ]
        assert receipt["facts"][0]["data"]["key_id"] == mine.key_id
        assert anna.registry.get("/v1/models/reader-s-own")["in_production"] == version.version_id

        with pytest.raises(Forbidden) as denied:
            people["oleg"].registry.post("/v1/promotions", {"version_id": version.version_id})
        assert denied.value.reasons[0].rule == "role.not_granted"
        assert denied.value.reasons[0].owner
        assert denied.value.remedy
