"""Evidence over HTTP: proofs, one fact, whole packs; each showing leaves a fact."""

import json
from uuid import uuid4

import psycopg

from letopis.audit.evidence.program import REPORTS
from letopis.audit.evidence.verifier.merkle import consistent, included
from letopis.audit.evidence.verifier.note import head_of, keys_of
from letopis.audit.evidence.verifier.pack import verify
from letopis.audit.log.merkle import leaf_hash, root_of
from letopis.common.envelope import record_to_json
from letopis.common.leaf import leaf_bytes
from letopis.common.leaf import leaf_hash as hash_of


async def sealed(chronicle, kit, count=20):
    records = kit.decisions(count)
    await chronicle.seal("decisions", records)
    await chronicle.seal("registry", kit.registry())
    await chronicle.seal("inference")
    return records


class TestProofs:
    async def test_of_inclusion_lead_to_the_signed_root(self, chronicle, kit):
        records = await sealed(chronicle, kit)
        told = (await chronicle.get("/v1/proofs/inclusion", ledger="decisions", position=7)).json()
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        assert included(6, 20, hash_of(records[6]), proof).hex() == told["root"]
        assert told["root"] == root_of(map(hash_of, records)).hex()

    async def test_of_consistency_lead_to_both_roots(self, chronicle, kit):
        records = await sealed(chronicle, kit)
        told = (await chronicle.get("/v1/proofs/consistency", ledger="decisions", old=7)).json()
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        heads = root_of(map(hash_of, records[:7])), root_of(map(hash_of, records))
        assert consistent(7, 20, *heads, proof)
        assert (told["old_root"], told["root"]) == tuple(one.hex() for one in heads)

    async def test_beyond_the_signed_head_are_refused(self, chronicle, kit):
        await sealed(chronicle, kit)
        for query in ({"position": 21}, {"position": 7, "size": 21}, {"position": 7, "size": 6}):
            answer = await chronicle.get("/v1/proofs/inclusion", ledger="decisions", **query)
            assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")
        answer = await chronicle.get("/v1/proofs/consistency", ledger="decisions", old=21)
        assert answer.status_code == 409
        assert (await chronicle.get("/v1/proofs/inclusion", ledger="nothing", position=1)).status_code == 404


class TestEvidence:
    async def test_of_one_fact_is_proved_and_recorded(self, chronicle, kit):
        """Row: who looked at what is a fact too."""
        records = await sealed(chronicle, kit)
        told = (await chronicle.get(f"/v1/evidence/{records[6].event_id}")).json()
        assert told["record"] == record_to_json(records[6])
        assert told["leaf"].encode() == leaf_bytes(records[6])
        assert told["leaf_hash"] == leaf_hash(told["leaf"].encode()).hex()
        keys = keys_of((await chronicle.client.get("/log/decisions/key")).text)
        head = head_of(told["checkpoint"].encode(), keys)
        proof = [bytes.fromhex(one) for one in told["hashes"]]
        assert included(6, head.size, bytes.fromhex(told["leaf_hash"]), proof) == head.root
        [fact] = await chronicle.facts()
        assert fact.type == "audit.evidence.read"
        assert json.loads(fact.data) == {
            "event_id": str(records[6].event_id), "ledger": "decisions", "position": 7, "by": "irina"
        }  # fmt: skip

    async def test_is_denied_and_the_denial_recorded(self, chronicle, kit):
        records = await sealed(chronicle, kit)
        answer = await chronicle.get(f"/v1/evidence/{records[6].event_id}", by="anna")
        assert answer.status_code == 403
        assert [fact.type for fact in await chronicle.facts()] == ["audit.authorization.denied"]

    async def test_of_an_unknown_fact_is_not_found(self, chronicle, kit):
        await sealed(chronicle, kit)
        for event_id in (uuid4(), "nothing"):
            assert (await chronicle.get(f"/v1/evidence/{event_id}")).status_code == 404


class TestPack:
    async def test_of_a_decision_verifies_offline(self, chronicle, kit):
        """Row: the regulator gets a pack and checks it alone."""
        records = await sealed(chronicle, kit)
        body = {"decision_id": str(records[6].event_id), "kept": {"decisions": [5]}}
        made = await chronicle.post("/v1/packs", body, by="rita")
        assert made.status_code == 201, made.text
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}", by="rita")
        _, kept = kit.checkpoint("decisions", records[:5])
        verdict = verify(pack.content, REPORTS, kept=[kept.encode()])
        assert verdict.faults == []
        assert "decisions: 1 facts proved to be in a ledger of 20" in verdict.checks
        assert [fact.type for fact in await chronicle.facts()] == ["audit.pack.made", "audit.pack.read"]

    async def test_of_a_model_verifies_offline(self, chronicle, kit):
        await sealed(chronicle, kit)
        made = await chronicle.post("/v1/packs", {"model_id": "credit"})
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}")
        verdict = verify(pack.content, REPORTS)
        assert verdict.good
        assert "registry: 3 facts, contiguous, their root is the checkpoint's" in verdict.checks

    async def test_tells_how_the_training_data_was_built_and_by_which_lease_it_was_decided(self, chronicle, kit):
        dataset = {"dataset_id": "april", "name": "April"}
        other = {"dataset_id": "may", "name": "May"}
        built = "features.dataset.built"
        facts = [kit.record("features", 1, built, other), kit.record("features", 2, built, dataset)]
        await chronicle.seal("features", facts)
        lease = kit.record("decisions", 1, "decisions.lease.granted", {"consumer": "bank-app"})
        meta = json.dumps({"authorization": {"lease": str(lease.event_id)}}).encode()
        about = {"model_id": "credit", "score": 0.5}
        decision = kit.record("decisions", 2, "decisions.decision.made", about, meta=meta)
        await chronicle.seal("decisions", [lease, decision])
        await chronicle.seal("registry", kit.registry())
        await chronicle.seal("inference")
        made = await chronicle.post("/v1/packs", {"decision_id": str(decision.event_id)})
        assert made.json()["facts"][0]["data"]["excerpts"] == {"decisions": [1, 2], "features": [2]}
        pack = await chronicle.get(f"/v1/packs/{made.json()['id']}")
        assert verify(pack.content, REPORTS).faults == []

    async def test_of_a_registry_fact_not_sealed_yet_is_refused(self, chronicle, kit):
        await sealed(chronicle, kit)
        later = kit.record("registry", 4, "registry.x.y", {})
        await chronicle.resources.copies.append("registry", [later])
        answer = await chronicle.post("/v1/packs", {"events": [str(later.event_id)]})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")

    async def test_of_a_copy_that_was_changed_is_not_made(self, chronicle, kit, audit_database):
        records = await sealed(chronicle, kit)
        with psycopg.connect(audit_database.superuser_url) as connection:
            for part in ("record", "record_decisions", "record_decisions_p0"):
                connection.execute(f"ALTER TABLE copy.{part} DISABLE TRIGGER ALL")
            connection.execute('UPDATE copy.record SET data = \'{"model_id":"credit"}\' WHERE position = 7')
        for answer in (
            await chronicle.post("/v1/packs", {"events": [str(records[6].event_id)]}),
            await chronicle.get(f"/v1/evidence/{records[6].event_id}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (500, "log.not_as_sealed")

    async def test_asked_for_twice_is_made_once(self, chronicle, kit):
        await sealed(chronicle, kit)
        first = await chronicle.post("/v1/packs", {"model_id": "credit"}, key="one")
        again = await chronicle.post("/v1/packs", {"model_id": "credit"}, key="one")
        assert first.json() == again.json()
        assert len(await chronicle.facts()) == 1

    async def test_of_nothing_is_refused(self, chronicle, kit):
        await sealed(chronicle, kit)
        answer = await chronicle.post("/v1/packs", {})
        assert (answer.status_code, answer.json()["code"]) == (422, "pack.scope_missing")

    async def test_of_a_fact_not_sealed_yet_is_refused(self, chronicle, kit):
        await sealed(chronicle, kit, 20)
        later = kit.decisions(25)[20:]
        await chronicle.resources.copies.append("decisions", later)
        answer = await chronicle.post("/v1/packs", {"decision_id": str(later[0].event_id)})
        assert (answer.status_code, answer.json()["code"]) == (409, "log.not_sealed_yet")

    async def test_needs_a_purpose_and_a_role(self, chronicle, kit):
        await sealed(chronicle, kit)
        assert (await chronicle.post("/v1/packs", {"model_id": "credit"}, by="anna")).status_code == 403
        chronicle.headers.clear()
        assert (await chronicle.post("/v1/packs", {"model_id": "credit"})).status_code == 403

    async def test_that_was_never_made_is_not_found(self, chronicle):
        assert (await chronicle.get("/v1/packs/nothing")).status_code == 404
