"""Read models are disposable: all of them can be dropped and come back from the facts, row by row the same."""

import re
import subprocess
from pathlib import Path

import pytest
from e2e import read_models
from e2e.journey.proving import programs_folder
from e2e.read_models import PROFILE
from e2e.stacks import SERVICES

# What may be in a service's database beside read models: facts, and the machinery's own progress.
INFRASTRUCTURE = {"es", "projecting", "outbox", "reacting"}
_TABLE = re.compile(r"^CREATE TABLE (\S+)\.(\S+) \(", re.MULTILINE)
# A new process tells that it begins a journal, and the chronicle counts and judges by the clock; nothing else may be
# recorded because a view was built again.
OF_A_NEW_PROCESS = {"decisions.journal.opened", "audit.heartbeat.recorded", "audit.claim.evaluated"}


class TestDropped:
    def test_every_read_model_of_every_service_comes_back_the_same(self, whole, world):
        # Processes that end say so in facts; from here on they have nothing more to say.
        whole.kill(*SERVICES)
        before = read_models.settled(whole)
        views = read_models.names(whole)
        content = read_models.all_rows(whole)

        read_models.drop(whole)
        after = read_models.settled(whole, views)

        assert read_models.differing(content, read_models.all_rows(whole)) == set()
        assert sum(len(rows) for tables in content.values() for rows in tables.values()) > 5 * world.accounts
        told = read_models.types_after(whole, before)
        # Where so many begin at once policy may not answer in time; that is denied, recorded, and asked again.
        late = re.compile(r"[a-z]+\.authorization\.denied policy\.(late|away)")
        assert {one for one in told if not late.fullmatch(one)} <= OF_A_NEW_PROCESS, f"rebuilding recorded {told}"
        assert after.keys() == before.keys()


class TestRebuilt:
    @pytest.mark.parametrize(
        ("service", "named"), [("registry", "promotion"), ("console", "chronicle"), ("monitoring", "profile")]
    )
    def test_a_view_is_built_beside_the_live_one_and_takes_its_place(self, whole, service, named):
        read_models.settled(whole)
        views = read_models.live(whole, service)
        view = next(name for name in views if name == named or (named == "profile" and name.startswith(PROFILE)))
        content = read_models.rows(whole, service, views[view].schema)

        done = whole.run_service(service, "rebuild", named)

        assert done.returncode == 0, done.stderr
        now = read_models.live(whole, service)[view]
        assert now.generation > views[view].generation
        rebuilt = read_models.rows(whole, service, now.schema)
        assert read_models.differing({(service, view): content}, {(service, view): rebuilt}) == set()
        assert any(content.values())

    def test_a_view_that_is_not_there_is_named(self, whole):
        done = whole.run_service("registry", "rebuild", "nothing")
        assert done.returncode == 1
        assert "promotion" in done.stderr


class TestDump:
    @pytest.mark.parametrize("service", SERVICES)
    def test_shows_only_facts_read_models_and_infrastructure(self, whole, service):
        command = [str(Path(programs_folder()) / "pg_dump"), "-s", whole.superuser_url(f"letopis_{service}")]
        dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        tables = set(_TABLE.findall(dump))
        allowed = INFRASTRUCTURE | ({"copy"} if service == "audit" else set())
        found = {f"{schema}.{table}" for schema, table in tables if schema not in allowed}
        strange = {one for one in found if not one.startswith("rm_")} - {"public.alembic_version"}
        assert not strange
        assert ("es", "event") in tables
        views = {one.schema for one in read_models.live(whole, service).values()}
        assert views <= {schema for schema, _ in tables}
