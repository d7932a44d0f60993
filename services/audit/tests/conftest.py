"""What tests of the chronicle share: a small registry, a few decisions, and packs made of them."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from letopis.audit.evidence.pack import Part, ReportFile, build
from letopis.audit.evidence.program import remade, verify_pyz
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.merkle import consistency_proof, inclusion_proof, root_of
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.audit.report import document as reports
from letopis.audit.report.definition import BadDefinition, parse
from letopis.audit.report.shelf import Shelf as ReportShelf
from letopis.audit.settings import AuditSettings
from letopis.common import migrating
from letopis.common.database import open_engine
from letopis.common.envelope import Record, record_to_json
from letopis.common.leaf import leaf_hash
from letopis.common.policy.sources import bundle_of, collect
from letopis.common.serialization import canonical
from letopis.common.testing.settling import aside


# Tests are imported by path; what they share is loaded once under a name of its own.
def _shared(name, path):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serving = _shared("audit_serving", "serving.py")
story = _shared("audit_story", "report/story.py")

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
START = datetime(2026, 11, 21, 6, 55, 8, 123456, tzinfo=UTC)
META = canonical({"actor": {"person": "anna"}, "purpose": "development"})


def record(ledger, position, type, data, stream="model:credit", **other):
    about = {
        "ledger": ledger,
        "position": position,
        "stream": stream,
        "version": position,
        "prev": position - 1,
        "event_id": UUID(bytes=sha256(f"{ledger}:{position}".encode()).digest()[:16], version=4),
        "type": type,
        "schema_version": 1,
        "recorded_at": START + timedelta(seconds=position),
        "command_id": UUID(int=position),
        "salt": sha256(f"{ledger}/{position}".encode()).digest()[:16],
        "data": canonical(data),
        "meta": META,
    }
    return Record(**(about | other))


def registry():
    manifest = {"flavour": "xgboost", "owner": "anna", "cutoff": 0.35, "training_data": ["april"]}
    facts = [
        ("registry.model.registered",
         {"model_id": "credit", "name": "Кредит", "owner": "anna", "description": ""}),
        ("registry.version.registered",
         {"version_id": "credit.1", "model_id": "credit", "model_name": "Кредит", "number": 1, "digest": "d" * 64,
          "manifest": manifest, "author": "anna", "signature": "", "key_id": "registry"}),
        ("registry.production.entered",
         {"model_id": "credit", "version_id": "credit.1", "version_digest": "d" * 64, "promotion_id": "p",
          "replaces": None}),
    ]  # fmt: skip
    return [record("registry", at, type, data) for at, (type, data) in enumerate(facts, 1)]


def decisions(count=11, start=1, ledger="decisions"):
    return [
        record(
            ledger,
            at,
            "decisions.decision.made",
            {"model_id": "credit", "score": at / 7},
            stream=f"journal:{UUID(int=9)}",
        )
        for at in range(start, start + count)
    ]


def nodes_of(hashes):
    return lambda level, index: root_of(hashes[index << level : (index + 1) << level])


def signer(name):
    return Signer(f"letopis.test/log/{name}", KEY)


def checkpoint(ledger, records):
    head = Checkpoint(f"letopis.test/log/{ledger}", len(records), root_of(map(leaf_hash, records)))
    return head, sign_note(head.text(), signer(ledger))


@dataclass
class Draft:
    """A pack about to be made; a test changes it before `made` signs it as our own key would."""

    registry: list = field(default_factory=registry)
    decisions: list = field(default_factory=decisions)
    chosen: tuple = (3, 8)
    report: bytes | None = None
    definition: bytes = ReportShelf.of().sources["model_inventory"]
    old: tuple = (5,)
    witnessed: dict = field(default_factory=dict)

    def made(self):
        hashes = [leaf_hash(one) for one in self.decisions]
        nodes, size = nodes_of(hashes), len(hashes)
        sealed, note = checkpoint("registry", self.registry)
        empty, nothing = checkpoint("inference", [])
        decided, third = checkpoint("decisions", self.decisions)
        whole = {
            "registry": Part(head=sealed, note=note, records=self.registry),
            "inference": Part(head=empty, note=nothing, records=[]),
        }
        excerpt = Part(
            head=decided,
            note=third,
            records=[self.decisions[one - 1] for one in self.chosen],
            proofs=[inclusion_proof(one - 1, size, nodes) for one in self.chosen],
            consistency={old: consistency_proof(old, size, nodes) for old in self.old},
        )
        whole = {name: replace(part, **self.witnessed.get(name, {})) for name, part in whole.items()}
        excerpt = replace(excerpt, **self.witnessed.get("decisions", {}))
        heads = {name: {"position": part.head.size, "root": part.head.root.hex()} for name, part in whole.items()}
        facts = {"registry": [record_to_json(one) for one in self.registry], "inference": []}
        try:
            definition = parse(self.definition)
        except BadDefinition:
            definition = parse(Draft.definition)
            definition = replace(definition, type="facts", ledgers=["registry"])
        heads = {ledger: heads[ledger] for ledger in definition.ledgers}
        document = self.report or reports.build(definition, facts, heads)
        return build(
            pack_id="pack-1",
            created_at="2026-11-21T07:00:00.000000Z",
            scope={"model_id": "credit"},
            whole=whole,
            excerpts={"decisions": excerpt},
            report=ReportFile(
                type=definition.type,
                definition=self.definition,
                document=document,
                table=reports.table(document) if document[:1] == b"{" else b"",
                asked={},
                whole=definition.ledgers,
                heads=definition.ledgers,
            ),
            verifier=verify_pyz(),
            signer=signer("pack"),
            keys=[signer("registry"), signer("inference"), signer("decisions")],
        )


@pytest.fixture(scope="session")
def kit():
    """What this file makes, by name."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def remake():
    """How a report is made again; of the same definition and facts once, for packs that are broken elsewhere."""
    known = {}

    def again(*given):
        key = json.dumps([given[0].hex(), *given[1:]])
        if key not in known:
            known[key] = remade(*given)
        return known[key]

    return again


@pytest.fixture
def draft():
    return Draft()


@pytest.fixture(scope="session")
def pack():
    return Draft().made()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a chronicle begins with: its files, and what makes its database (and them) once a session."""

    files: Path
    prepare: Callable[[Any], None]


@pytest.fixture
def stock():
    """None: the chronicle begins empty, unless a file or a class of tests has a fixture of this name."""
    return


@pytest.fixture
def audit_database(databases, stock):
    """A migrated database of the chronicle, fresh for each test."""
    made = databases.clone("audit", stock and stock.prepare)
    yield made
    databases.drop(made)


@pytest.fixture
async def copies(audit_database):
    engine = open_engine(audit_database.app_url, autocommit=True)
    yield CopyStore(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def settings_of(opa_serving):
    """Settings of a chronicle on a database, with its files in a folder, over the real policy of its rooms."""
    opa_url = opa_serving(bundle_of(collect([Path(__file__).parents[1] / "src" / "letopis"])))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def made(database, folder):
        key = folder / "audit.signing_key"
        key.write_bytes(pem)
        return AuditSettings(
            database_url=database.app_url,
            projector_url=database.projector_url,
            opa_url=opa_url,
            object_store_url=(folder / "objects").as_uri(),
            state_dir=folder / "state",
            signing_key_file=key,
            origin="letopis.test/log",
        )

    return made


@pytest.fixture
def settings(audit_database, settings_of, stock, tmp_path):
    """Settings of a chronicle of its own."""
    if stock:
        shutil.copytree(stock.files, tmp_path, dirs_exist_ok=True)
    return settings_of(audit_database, tmp_path)


@pytest.fixture
async def chronicle(settings):
    async with serving.open_chronicle(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def stocking(settings_of, tmp_path_factory):
    """Makes a stock: what an empty chronicle is after `act`, which also gets the folder of its files."""

    def stock(act):
        files = tmp_path_factory.mktemp("stock")

        async def acting(database):
            async with serving.open_chronicle(settings_of(database, files)) as chronicle:
                await act(chronicle, files)

        def prepare(database):
            migrating.upgrade("audit", database.owner_url, database.app_url, database.projector_url)
            aside(acting(database))

        return Stock(files=files, prepare=prepare)

    return stock


@pytest.fixture(scope="session")
def little(stocking):
    """A stock: twenty decisions, the little registry, and an inference without facts, all sealed."""

    async def act(chronicle, _):
        await chronicle.seal("decisions", decisions(20))
        await chronicle.seal("registry", registry())
        await chronicle.seal("inference")

    return stocking(act)


@pytest.fixture(scope="session")
def half_a_year(stocking):
    """A stock: half a year's facts, all of them under signed heads."""

    async def act(chronicle, _):
        for ledger, records in story.half_year().records.items():
            await chronicle.seal(ledger, records)

    return stocking(act)
