"""Standing claims over sealed copies: found, recorded, stated by an auditor, made again by a stranger."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256

import pytest

from letopis.audit.claim import document
from letopis.audit.claim.decider import EVALUATION, RecordEvaluation
from letopis.audit.claim.evaluating import Evaluating
from letopis.audit.claim.events import ClaimFound
from letopis.audit.claim.recomputing import compared, recomputed
from letopis.audit.claim.views import ClaimsEvaluation
from letopis.audit.evidence.program import remade
from letopis.audit.evidence.verifier import archive
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.evidence.verifier.leaf import leaf_of
from letopis.audit.evidence.verifier.ledger import Row
from letopis.audit.evidence.verifier.merkle import leaf_hash
from letopis.audit.evidence.verifier.pack import verify
from letopis.common.database import open_engine
from letopis.common.envelope import record_to_json
from letopis.common.following import News, OwnLedger
from letopis.common.observability import Metrics
from letopis.common.projecting import Projector
from letopis.common.testing.decider import given

MODEL = "registry.model.registered"
CLAIM = {
    "id": "models_have_owners",
    "text": {"en": "Every model has an owner"},
    "every": {"facts": [MODEL], "where": [["owner", "empty"]]},
    "never": True,
}


def evaluates(chronicle):
    resources = chronicle.resources
    return Evaluating(
        copies=resources.copies,
        log=resources.log,
        objects=resources.objects,
        desk=resources.desk,
        clock=resources.clock,
        metrics=Metrics("audit"),
    )


@pytest.fixture
def evaluating(chronicle):
    return evaluates(chronicle)


async def own_sealed(chronicle):
    """The audit ledger itself, copied and sealed as the worker does."""
    known = await chronicle.resources.copies.head("audit")
    await chronicle.seal("audit", [one for one in await chronicle.facts() if one.position > known])


def verdicts(made):
    return {one["id"]: (one["verdict"], one["violations"]) for one in json.loads(made)["claims"]}


async def whole(chronicle):
    """What a pack holds: every fact of every ledger, and its head."""
    facts, heads = {}, {}
    for ledger in document.LEDGERS:
        if size := chronicle.resources.log.size(ledger):
            records = await chronicle.resources.copies.read(ledger, 0, size)
            facts[ledger] = [record_to_json(one) for one in records]
            heads[ledger] = {"position": size, "root": chronicle.resources.log.root(ledger, size).hex()}
    return facts, heads


class TestEvaluating:
    async def test_a_planted_violation_is_found_and_a_stranger_finds_the_same(self, chronicle, kit, evaluating):
        await chronicle.seal("registry", kit.registry())
        made = await evaluating.step()
        # The little registry of these tests has a version in production that nobody promoted.
        assert verdicts(made)["production_after_promotion"] == ("held", 0)
        waits = {one["id"]: one["open"] for one in json.loads(made)["claims"]}
        assert waits["production_after_promotion"] == 1
        later = kit.record("registry", 4, MODEL, {"model_id": "b", "owner": "anna"})
        later = kit.replace(later, recorded_at=later.recorded_at + timedelta(minutes=5))
        await chronicle.seal("registry", [later])
        made = await evaluating.step()
        found = next(one for one in json.loads(made)["claims"] if one["id"] == "production_after_promotion")
        assert (found["verdict"], found["first"]) == ("violated", ["registry/3"])
        assert document.build(*await whole(chronicle)) == made

    async def test_is_recorded_when_it_is_news(self, chronicle, kit, evaluating):
        await chronicle.seal("registry", kit.registry())
        for _ in range(3):
            await evaluating.step()
        assert [one.type for one in await chronicle.facts()] == ["audit.claim.evaluated"]

    async def test_an_auditor_states_a_claim_and_it_is_held_against_all_there_ever_was(
        self, chronicle, kit, evaluating, settings
    ):
        await chronicle.seal("registry", [kit.record("registry", 1, MODEL, {"model_id": "b", "owner": ""})])
        await evaluating.step()
        stated = await chronicle.post("/v1/claims", {"definition": CLAIM})
        assert stated.status_code == 201, stated.text
        again = await chronicle.post("/v1/claims", {"definition": CLAIM})
        assert (again.status_code, again.json()["code"]) == (409, "claim.stands")
        await own_sealed(chronicle)
        made = await evaluating.step()
        assert verdicts(made)["models_have_owners"] == ("violated", 1)
        assert document.build(*await whole(chronicle)) == made
        await project(chronicle, settings)
        told = (await chronicle.get("/v1/claims/evaluations", by="rita")).json()
        assert [one["verdict"] for one in told[0]["claims"] if one["claim_id"] == "models_have_owners"] == ["violated"]
        served = await chronicle.get(f"/v1/claims/evaluations/{told[0]['sha256']}", by="rita")
        assert served.content == made
        withdrawn = await chronicle.post("/v1/claims/models_have_owners/withdrawals", {"reason": "stated by mistake"})
        assert withdrawn.status_code == 201, withdrawn.text
        await own_sealed(chronicle)
        assert "models_have_owners" not in verdicts(await evaluating.step())

    async def test_what_is_no_claim_is_refused_with_words(self, chronicle):
        answer = await chronicle.post("/v1/claims", {"definition": CLAIM | {"never": False}})
        assert (answer.status_code, answer.json()["code"]) == (422, "claim.unreadable")
        assert '"never": true' in answer.json()["detail"]
        refused = await chronicle.post("/v1/claims", {"definition": CLAIM}, by="rita")
        assert refused.status_code == 403

    async def test_a_shipped_claim_is_not_withdrawn(self, chronicle):
        path = "/v1/claims/score_under_approval/withdrawals"
        answer = await chronicle.post(path, {"reason": "it is in our way"})
        assert (answer.status_code, answer.json()["code"]) == (404, "claim.unknown")


async def project(chronicle, settings):
    engine = open_engine(settings.projector_url, size=2)
    try:
        source = OwnLedger(chronicle.resources.store, "audit", News(), busy=0, quiet=0)
        projector = Projector(ClaimsEvaluation, {"audit": source}, engine)
        while not projector.live or await projector.step():
            await projector.step()
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
def judged(stocking, kit):
    """A stock: sealed ledgers, and the document of what was evaluated over them."""

    async def act(chronicle, folder):
        await chronicle.seal("registry", kit.registry())
        await chronicle.seal("decisions", kit.decisions(5))
        evaluating = evaluates(chronicle)
        await evaluating.step()
        await own_sealed(chronicle)
        (folder / "made").write_bytes(await evaluating.step())

    return stocking(act)


class TestStranger:
    """What `letopis claims` does: facts from their owners, hashes from the signed log, the document made anew."""

    @pytest.fixture
    def stock(self, judged):
        return judged

    @pytest.fixture
    async def told(self, chronicle, tmp_path):
        """A served document, the rows of its ledgers, and their sealed hashes."""
        made = (tmp_path / "made").read_bytes()
        facts, _ = await whole(chronicle)
        rows = {
            ledger: [Row(one, one["data"].encode(), one["meta"].encode()) for one in records]
            for ledger, records in facts.items()
        }
        return made, rows

    @staticmethod
    def again(made, rows):
        hashes = {name: [leaf_hash(leaf_of(one.record)) for one in of] for name, of in rows.items()}
        return recomputed(json.loads(made)["as_of"], lambda ledger, _: iter(rows[ledger]), hashes)

    async def test_makes_the_same_bytes(self, told):
        made, rows = told
        compared(made, sha256(made).hexdigest(), self.again(made, rows))

    @pytest.mark.parametrize(("ledger", "at"), [("registry", 1), ("registry", 3), ("decisions", 5), ("audit", 1)])
    async def test_one_hidden_fact_breaks_it_and_is_named(self, told, ledger, at):
        made, rows = told
        del rows[ledger][at - 1]
        with pytest.raises(Bad) as broken:
            self.again(made, rows)
        assert broken.value.place == f"{ledger}/{at}"

    async def test_another_fact_in_its_place_breaks_it_and_is_named(self, told):
        made, rows = told
        hashes = {name: [leaf_hash(leaf_of(one.record)) for one in of] for name, of in rows.items()}
        record = rows["registry"][1].record | {"data": "{}"}
        rows["registry"][1] = Row(record, b"{}", record["meta"].encode())
        with pytest.raises(Bad) as broken:
            recomputed(json.loads(made)["as_of"], lambda ledger, _: iter(rows[ledger]), hashes)
        assert broken.value.place == "registry/2"
        with pytest.raises(Bad, match="root"):
            recomputed(json.loads(made)["as_of"], lambda ledger, _: iter(rows[ledger]), {})

    async def test_a_verdict_that_was_changed_is_found(self, told):
        made, rows = told
        lie = made.replace(b'"verdict": "held"', b'"verdict": "lost"', 1)
        for served, digest in ((lie, sha256(made).hexdigest()), (lie, sha256(lie).hexdigest())):
            with pytest.raises(Bad):
                compared(served, digest, self.again(made, rows))


class TestPack:
    async def test_the_program_in_the_pack_makes_the_document_again(self, chronicle, kit, tmp_path):
        """Python alone, offline: every ledger whole, and the document of the claims made again; a hidden fact fails."""
        await chronicle.seal("registry", kit.registry())
        await chronicle.seal("decisions", kit.decisions(5))
        made = await chronicle.post("/v1/claims/packs", {})
        assert made.status_code == 201, made.text
        pack = (await chronicle.get(f"/v1/packs/{made.json()['id']}")).content
        (tmp_path / "pack.zip").write_bytes(pack)
        members, _ = archive.read(pack)
        (tmp_path / "verify.pyz").write_bytes(next(one.data for one in members if one.name == "verify.pyz"))
        command = [sys.executable, "-I", "-S", "verify.pyz", "pack.zip"]
        run = partial(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False)
        done = await asyncio.to_thread(run)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "report standing_claims: made again from the facts" in done.stdout
        lines = next(one.data for one in members if one.name == "ledgers/decisions.records").splitlines(keepends=True)
        hidden = [
            (one.name, b"".join(lines[:2] + lines[3:]) if one.name == "ledgers/decisions.records" else one.data)
            for one in members
        ]
        assert not verify(archive.written(hidden), remade).good

    async def test_needs_a_right(self, chronicle):
        assert (await chronicle.post("/v1/claims/packs", {}, by="vera")).status_code == 403


class TestRecording:
    def command(self, minutes, verdict="held", violations=0):
        found = ClaimFound(claim_id="one_claim", verdict=verdict, checked=minutes, open=0, violations=violations)
        return RecordEvaluation(
            evaluation_id="e", positions={}, roots={}, generator_sha256="", sha256="", bytes=0, claims=(found,),
            at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("command", "news"),
        [((59,), False), ((60,), True), ((1, "violated", 1), True)],
    )
    def test_within_the_hour_only_another_outcome_is_news(self, command, news):
        (first,) = EVALUATION.decider.decide(EVALUATION.decider.initial, self.command(0))
        told = given(EVALUATION, first).when(self.command(*command))
        assert bool(told.facts) == news
