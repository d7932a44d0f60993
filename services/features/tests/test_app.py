"""The service as strangers and as policy see it."""

from pathlib import Path

import letopis.features as package
from letopis.common.policy import lint, trial
from letopis.common.policy.engine import Engine
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.testing.routes import assert_guarded

ROOMS = collect([Path(package.__file__).parents[1]])
QUESTION = {
    "action": "features.query.run",
    "subject": {"person": "anna", "login": "anna", "roles": ["data_scientist"], "groups": ["risk"]},
    "purpose": "credit",
    "object": {
        "type": "query",
        "id": "q",
        "tenant": "",
        "attributes": {
            "zones": ["etl_copy"],
            "scheduled": False,
            "columns": [
                {"source": "panel", "column": "bill", "class": "confidential", "kind": "", "unmask": False},
                {"source": "people", "column": "email", "class": "personal", "kind": "email", "unmask": False},
            ],
        },
    },
    "context": {"time": "2026-11-21T06:55:08.123456Z"},
    "facts": {
        "holder": "anna",
        "scans": [{"source": "panel", "rows": 120}],
        "grants": [
            {
                "grant_id": "g",
                "grantee": "group:risk",
                "purpose": "credit",
                "not_after": "2026-12-31T00:00:00.000000Z",
                "revoked": False,
                "unmask": False,
                "columns": ["panel.bill", "people.email"],
            }
        ],
    },
}


async def test_every_route_is_guarded(shop):
    await assert_guarded(shop.app, public={"GET /healthz", "GET /readyz", "GET /metrics"})


def test_policies_are_well_written_and_every_rule_is_missed_when_dropped():
    assert lint.lint(ROOMS) == []
    result = trial.run(ROOMS)
    assert list(result.failed) == []
    assert len(result.passed) >= 40


def test_half_a_grant_or_half_a_column_opens_nothing():
    engine = Engine(bundle_of(ROOMS))
    (grant,), columns = QUESTION["facts"]["grants"], QUESTION["object"]["attributes"]["columns"]
    for part in ("grantee", "purpose", "not_after", "revoked", "columns"):
        half = {name: value for name, value in grant.items() if name != part}
        question = QUESTION | {"facts": QUESTION["facts"] | {"grants": [half]}}
        assert not engine.evaluate("letopis.features.authorize", question)["allow"], part
    for part in ("source", "column", "class", "kind", "unmask"):
        half = {name: value for name, value in columns[1].items() if name != part}
        attributes = QUESTION["object"]["attributes"] | {"columns": [columns[0], half]}
        question = QUESTION | {"object": QUESTION["object"] | {"attributes": attributes}}
        answer = engine.evaluate("letopis.features.authorize", question)
        shown = {one["treatment"] for one in answer["obligations"] if one["column"] == "email"}
        assert not answer["allow"] or shown <= {"token", "deny"}, part
    engine.close()
