"""A person's data over HTTP with a real key store: search, hold, erasure by two persons, certificate, late keys."""

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest

from letopis.audit.log.copying import Copier
from letopis.audit.subject.decider import SUBJECT
from letopis.audit.subject.reactions import DestroyWhenApproved, Telling
from letopis.audit.subject.views import SubjectKeys
from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.eventstore.memory import MemoryEventStore
from letopis.common.following import News, OwnLedger
from letopis.common.leaf import leaf_hash
from letopis.common.projecting import Projector
from letopis.common.projecting.told import tell
from letopis.common.sealing import HttpKeyStore, Keyring, KeysAway, OpenedLedger, Sealer
from letopis.common.testing.sample import facts
from letopis.common.testing.views import check_view
from letopis.inference.contract import DECISIONS, DecisionMade
from letopis.registry.contract import PRINCIPAL, PrincipalRegistered

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def made(account):
    return DecisionMade(
        application="credit", api_version="v1", model_id="m", version_id="m.1", version_digest="", consumer="bank-app",
        entity="account_id", entity_id=account, inputs={"phone": 79161234567.0}, looked_up=(), score=0.5, cutoff=0.5,
        decision="accept", reasons=None, decided_at=NOW, as_of=None, kind="single", job_id="", row=None,
    )  # fmt: skip


def registered(person):
    return PrincipalRegistered(
        login=person, person=person, name="Anna K.", kind="human", organisation="", until=date(2030, 1, 1)
    )


class Owner:
    """A service whose facts are sealed under keys of the real store, and its ledger as audit follows it."""

    def __init__(self, http, subject_keys, name, ledger, catalogue):
        keys = HttpKeyStore(http, subject_keys.url, subject_keys.secret(name))
        self.keyring = Keyring(keys, pool=5)
        self.store = MemoryEventStore(SystemClock())
        self.ledger, self.catalogue, self.journal = ledger, catalogue, uuid4()
        self.source = OwnLedger(self.store, ledger, News(), busy=0, quiet=0)

    async def tell(self, *told):
        await self.keyring.refresh()
        seq = await self.store.source_position(self.ledger, self.journal) + 1
        new = facts(self.catalogue, *told, sealer=Sealer(self.keyring, self.ledger))
        await self.store.append_batch(self.ledger, self.journal, seq, new)

    async def read(self):
        """What the owner can read now."""
        await self.keyring.refresh()
        opened = await OpenedLedger(self.source, self.catalogue, self.keyring).read(0, 100)
        return [tell(one, self.catalogue).fact for one in opened]


@pytest.fixture
def settings(settings, subject_keys):
    told = {"subject_keys_url": subject_keys.url, "subject_keys_secret_file": subject_keys.secret("audit")}
    return settings.model_copy(update=told)


@pytest.fixture
async def bank(chronicle, settings, subject_keys):
    """Owners, audit's view of them, and one step of what its worker does."""
    engine = open_engine(settings.projector_url)
    async with httpx.AsyncClient() as http:
        owners = {
            "decisions": Owner(http, subject_keys, "inference", "decisions", DECISIONS),
            "registry": Owner(http, subject_keys, "registry", "registry", PRINCIPAL),
        }
        resources = chronicle.resources
        parts = (resources.desk, resources.views, resources.office, resources.clock)
        destroy, telling = DestroyWhenApproved(*parts), Telling(*parts)
        projector = Projector(SubjectKeys, {name: one.source for name, one in owners.items()}, engine)

        async def work():
            while not projector.live or await projector.step():
                await projector.step()
            await telling.step()
            for record in await chronicle.facts():
                told = tell(record, SUBJECT.facts)
                if told is not None:
                    await destroy(told)

        yield owners, work
    await engine.dispose()


@pytest.fixture
def client():
    """A client nobody has met before, for the session's key store is shared."""
    return f"account_id:{uuid4().hex}"


async def erased(chronicle, subject):
    asked = (await chronicle.post(f"/v1/subjects/{subject}/erasures", {"reason": "asked by letter"}, by="pavel")).json()
    number = asked["facts"][0]["data"]["erasure_id"]
    answer = await chronicle.post(f"/v1/subjects/{subject}/erasures/{number}/approvals", {}, by="vera")
    assert answer.status_code == 201, answer.text
    return number


class TestErasure:
    async def test_makes_unreadable_what_was_sealed_and_leaves_every_leaf(self, chronicle, bank, client):
        owners, work = bank
        own = client.partition(":")[2]
        decisions, registry = owners["decisions"], owners["registry"]
        await decisions.tell(made(own), made("other"), made(own))
        await registry.tell(registered("anna"))
        await work()
        found = (await chronicle.get(f"/v1/subjects/{client}", by="pavel")).json()
        assert [
            (one["ledger"], one["facts"], one["first_position"], one["last_position"]) for one in found["facts"]
        ] == [("decisions", 2, 1, 3)]
        assert (found["readable"], found["destroyed"], found["erasure"]) == (1, 0, None)
        leaves = [leaf_hash(one) for one in await decisions.store.read("decisions", 0, 9)]

        number = await erased(chronicle, client)
        await work()
        first, second, third = await decisions.read()
        assert isinstance(second.inputs, dict)
        assert isinstance(first.inputs, str)
        assert isinstance(third.inputs, str)
        assert (await registry.read())[0].name == "Anna K."
        assert leaves == [leaf_hash(one) for one in await decisions.store.read("decisions", 0, 9)]
        told = (await chronicle.get(f"/v1/subjects/{client}", by="pavel")).json()
        assert (told["readable"], told["destroyed"], told["erasures"]) == (0, 1, [number])

        answer = await chronicle.get(f"/v1/subjects/{client}/erasures/{number}/certificate")
        certificate = answer.json()
        kinds = ["erasure_requested", "erasure_approved", "key_destroyed"]
        assert [one["type"] for one in certificate["steps"]] == [f"audit.subject.{kind}" for kind in kinds]
        assert certificate["keys_destroyed"] == [found["facts"][0]["key_id"]]
        assert certificate["unreadable"][0]["facts"] == 2
        # What is recorded of the certificate is its hash, so it can be told from a forged one.
        last = json.loads((await chronicle.facts())[-1].data)
        assert last["sha256"] == sha256(answer.content).hexdigest()

    async def test_needs_a_second_person_and_no_hold(self, chronicle, bank, client):
        path = f"/v1/subjects/{client}"
        number = (await chronicle.post(f"{path}/erasures", {"reason": "asked"}, by="pavel")).json()["facts"][0]["data"][
            "erasure_id"
        ]
        own = await chronicle.post(f"{path}/erasures/{number}/approvals", {}, by="pavel")
        assert (own.status_code, own.json()["reasons"][0]["rule"]) == (403, "four_eyes.own_erasure")
        assert (await chronicle.post(f"{path}/holds", {"reason": "a claim"})).status_code == 201
        held = await chronicle.post(f"{path}/erasures/{number}/approvals", {}, by="vera")
        assert (held.status_code, held.json()["code"]) == (409, "subject.under_hold")
        assert (await chronicle.post(f"{path}/hold-releases", {"reason": "settled"}, by="vera")).status_code == 201
        assert (await chronicle.post(f"{path}/erasures/{number}/approvals", {}, by="vera")).status_code == 201
        assert (await chronicle.get(path, by="anna")).status_code == 403

    async def test_destroys_a_key_that_turns_up_late_and_gives_who_comes_back_another(self, chronicle, bank, client):
        """A decision was still in a journal when its client was erased."""
        owners, work = bank
        decisions, own = owners["decisions"], client.partition(":")[2]
        await decisions.keyring.refresh()
        late = facts(DECISIONS, made(own), sealer=Sealer(decisions.keyring, "decisions"))
        await erased(chronicle, client)
        await work()
        await decisions.store.append_batch("decisions", decisions.journal, 1, late)
        await work()
        assert [type(one.inputs) for one in await decisions.read()] == [str]
        gone = [one for one in await chronicle.facts() if one.type == "audit.subject.key_destroyed"]
        assert [len(json.loads(one.data)["key_ids"]) for one in gone] == [0, 1]
        with pytest.raises(KeysAway, match="erased before"):
            await decisions.tell(made(own))
        decisions.journal = uuid4()
        await decisions.tell(made(own))
        await work()
        assert [type(one.inputs) for one in await decisions.read()] == [str, dict]


class TestView:
    async def test_is_a_fold(self, bank):
        owners, _ = bank
        for number in range(3):
            await owners["decisions"].tell(made(str(number)), made("1"), made(str(number)))
        await owners["registry"].tell(registered("anna"), registered("boris"))
        records = [one for owner in owners.values() for one in await owner.store.read(owner.ledger, 0, 100)]
        rows = check_view(SubjectKeys, records)["subject_key"].values()
        assert {row["subject"]: row["facts"] for row in rows} == {
            "account_id:0": 2, "account_id:1": 5, "account_id:2": 2, "person:anna": 1, "person:boris": 1
        }  # fmt: skip


class TestCopies:
    async def test_are_sealed_as_the_owner_stored_them(self, chronicle, bank, client):
        owners, _ = bank
        await owners["decisions"].tell(made(client.partition(":")[2]))
        records = await owners["decisions"].store.read("decisions", 0, 9)
        await Copier("decisions", chronicle.resources.copies).take(records, {})
        (copy,) = await chronicle.resources.copies.read("decisions", 0, 9)
        assert b"79161234567" not in copy.data
        assert leaf_hash(copy) == leaf_hash(records[0])
