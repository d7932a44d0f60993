"""Acting in a person's name: a notebook's key for one use case, and a service that reads for whoever asked it to."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from e2e.journey import modelling
from e2e.journey.data import PURPOSE
from e2e.journey.world import Actor, Problem
from e2e.test_rows import facts_of, source_of


@pytest.fixture(scope="module")
def played(world, story):
    """The world after the journey."""
    return world


class Key(Actor):
    """Somebody's notebook: it sends the key in place of a token."""

    @property
    def token(self):
        return self._token


@pytest.fixture(scope="module")
def notebook(played):
    """A notebook of Anna's, and what was told when its key was issued."""
    body = {"purpose": PURPOSE, "use_case_id": modelling.USE_CASE, "days": 1}
    answer = played["anna"].send("POST", "registry", "/v1/notebook-keys", json=body)
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    return Key(played, "anna", _token=told["key"]), told


def granted(world, source, project, until):
    """Opens the source's column to Anna for a project; the grant's id."""
    body = {
        "grantee": "anna",
        "purpose": PURPOSE,
        "project": project,
        "columns": {source: ["label"]},
        "unmask": False,
        "not_after": until.isoformat(),
        "reason": "for a test",
    }
    return world["pavel"].post("features", "/v1/grants", body)["id"]


def reads(actor, source):
    """Whether the column opens; a denial other than of the grant is no answer."""
    try:
        actor.post("features", "/v1/queries", {"sql": f"SELECT label FROM {source}"}, purpose=PURPOSE)
    except Problem as problem:
        if "grant.missing" not in problem.rules:
            raise
        return False
    return True


class TestNeedToKnow:
    def test_another_projects_grant_and_one_that_is_over_open_nothing(self, played, notebook):
        """A29: under a key for one use case a grant of another project is none, and a grant ends with its time."""
        key, _ = notebook
        anna, tomorrow = played["anna"], datetime.now(UTC) + timedelta(days=1)
        short = source_of(played)
        granted(played, short, modelling.USE_CASE, datetime.now(UTC) + timedelta(seconds=10))
        assert reads(key, short)
        source = source_of(played)
        assert not reads(anna, source)
        granted(played, source, "another-project", tomorrow)
        assert reads(anna, source)
        assert not reads(key, source)
        granted(played, source, modelling.USE_CASE, tomorrow)
        assert reads(key, source)
        assert played.until("the grant to end", lambda: not reads(key, short))


class TestInThePersonsName:
    def test_a_key_does_nothing_that_only_the_person_may(self, played, notebook, story):
        """A32: what acts in a person's name signs, grants and registers nothing, and the denial names it."""
        key, told = notebook
        for service, path, body in (
            ("registry", "/v1/promotions", {"version_id": story.versions[0]}),
            ("registry", "/v1/notebook-keys", {"purpose": PURPOSE, "use_case_id": modelling.USE_CASE}),
            ("features", "/v1/entities", {"entity": "x", "key": "x", "description": "x"}),
            ("audit", "/v1/packs", {"model_id": "cards-default"}),
        ):
            refused = key.refused("POST", service, path, json=body)
            assert refused.status == 403, refused
            assert refused.rules == ["delegation.in_person"]
        facts = facts_of(played, "registry", "registry")
        mine = [
            one for one in facts if one["type"] == "registry.authorization.denied" and told["key_id"] in one["meta"]
        ]
        assert len(mine) == 2

    def test_a_service_read_the_training_set_in_the_name_of_who_defined_the_monitor(self, played):
        """A32: monitoring has no grant of its own; what it read stands under the person, and names monitoring."""
        actors = [json.loads(one["meta"])["actor"] for one in facts_of(played, "features", "access")]
        delegated = [one for one in actors if one["service"] == "service:monitoring"]
        assert delegated
        assert {one["person"] for one in delegated} == {"anna"}

    def test_a_revoked_key_opens_nothing_within_a_minute(self, played):
        body = {"purpose": PURPOSE, "use_case_id": modelling.USE_CASE, "days": 1}
        told = played["anna"].post("registry", "/v1/notebook-keys", body)
        key = Key(played, "anna", _token=told["key"])
        assert key.get("registry", "/v1/models")
        played["pavel"].send("DELETE", "registry", f"/v1/notebook-keys/{told['key_id']}")
        for service, path in (("registry", "/v1/models"), ("features", "/v1/bundles")):
            assert played.until(
                f"{service} to know", lambda path=path, service=service: _closed(key, service, path), 60
            )


def _closed(key, service, path):
    try:
        key.get(service, path)
    except Problem as problem:
        if problem.status != 401:
            raise
        return True
    return False
