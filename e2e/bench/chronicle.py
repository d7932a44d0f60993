"""The chronicle: sealing, proving, verifying by strangers, reporting, and how long until a fact lies under a signature.

Each beside what audit's design asks for; the bare way of the same work stands beside it where there is one.
"""

import asyncio
import io
import random
import statistics
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from e2e.bench import stack
from e2e.bench.parts import running
from e2e.bench.report import Row, row
from e2e.journey import people
from e2e.journey.world import World

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.checkpoint.sealer import Sealer
from letopis.audit.evidence.assembling import Assembler, Scope
from letopis.audit.log.copy import CopyStore
from letopis.audit.log.copying import Copier
from letopis.audit.log.merkle import head_at
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.audit.log.sealed import SealedLog
from letopis.audit.log.shelf import Shelf
from letopis.audit.log.tile import HEIGHT, WIDTH, Tile, fold, nodes_from
from letopis.audit.report.issuing import Issuing
from letopis.audit.report.shelf import Shelf as ReportShelf
from letopis.common.database import open_engine
from letopis.common.envelope import Record
from letopis.common.leaf import leaf_hash
from letopis.common.serialization import canonical

ASKED = "audit's design asks for"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BATCH = 2000
TAKEN = 40


def measure() -> list[Row]:
    """All rows: the chronicle's own work, then facts of a whole stack on their way under a signature."""
    return [*of_facts(), *_signed_within()]


def of_facts(scale: float = 1) -> list[Row]:
    """Proving, sealing, verifying, reporting; `scale` shrinks the amounts for a quick look (the rows then say so)."""
    with TemporaryDirectory(prefix="letopis-bench-") as name, running() as parts:
        folder = Path(name)
        rows = [_proved(folder / "proofs", int(10_000_000 * scale), scale)]
        rows += asyncio.run(_kept(parts.audit.app_url, folder / "kept", int(1_000_000 * scale), scale))
    return rows


def _signer(ledger: str) -> Signer:
    return Signer(f"bench/log/{ledger}", KEY)


def _proved(folder: Path, leaves: int, scale: float) -> Row:
    """Inclusion proofs of random facts, as the door makes them: checkpoint read, tiles read and folded."""
    shelf, signer = Shelf(folder), _signer("decisions")
    hashes, level = [sha256(number.to_bytes(8, "big")).digest() for number in range(leaves)], 0
    while count := leaves >> HEIGHT * level:
        for first in range(0, count, WIDTH):
            tile = Tile(level, first // WIDTH, min(WIDTH, count - first))
            path = folder / "decisions" / tile.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(hashes[first : first + WIDTH]))
        hashes = [fold(hashes[first : first + WIDTH]) for first in range(0, count - WIDTH + 1, WIDTH)]
        level += 1
    root = head_at(leaves, nodes_from(partial(shelf.tile, "decisions"), leaves))
    shelf.publish("decisions", sign_note(Checkpoint(signer.name, leaves, root).text(), signer).encode())
    log, taken = SealedLog(shelf, {"decisions": signer}), []
    for position in random.Random(1).choices(range(1, leaves + 1), k=500):
        begin = perf_counter()
        log.inclusion("decisions", position, leaves)
        taken.append(perf_counter() - begin)
    return row(f"proof{_of(scale)}", statistics.median(taken) * 1000, "ms", f"{ASKED} (10 million leaves)", 2)


async def _kept(url: str, folder: Path, count: int, scale: float) -> list[Row]:
    """A registry of facts copied, sealed, packed when a tenth is there, and reported on at the end."""
    engine = open_engine(url, autocommit=True, size=4)
    shelf, signers = Shelf(folder / "log"), {name: _signer(name) for name in ("registry", "inference")}
    keeping = _Keeping(CopyStore(engine), SealedLog(shelf, signers), LockStore(folder / "heads.sqlite"))
    try:
        facts, tenth = history(count, models=max(1, count // 1000)), count // 10
        await keeping.take("inference", [_fact("inference", 1, "inference.none", {})])
        await keeping.take("registry", facts[:tenth])
        ledgers, definitions = ("inference", "registry"), ReportShelf.of()
        inventory = definitions.definition("model_inventory")
        issuing = Issuing(copies=keeping.copies, log=keeping.log, ledgers=ledgers)
        assembler = Assembler(
            copies=keeping.copies,
            log=keeping.log,
            signer=Signer("bench/log/pack", KEY),
            shelf=definitions,
            ledgers=ledgers,
        )
        made = await assembler.assemble("pack", _time(1), Scope())
        await keeping.take("registry", facts[tenth:])
        reports = []
        for _ in range(2):
            begin = perf_counter()
            reports.append((await issuing.make(inventory, {}), perf_counter() - begin))
    finally:
        await engine.dispose()
    if reports[0][0].document != reports[1][0].document:
        raise RuntimeError("the report came with other bytes the second time")
    begin = perf_counter()
    for one in facts[:tenth]:
        leaf_hash(one)
    hashing, sealed = tenth / (perf_counter() - begin), keeping.count / keeping.took
    asked = f"{ASKED} (1,000 models, 1 million facts; again: same bytes)"
    return [
        row("seal", sealed, "facts/s", ASKED, 10_000),
        row("seal", sealed, "facts/s", "hashing the leaves alone, nothing stored or signed", hashing),
        row("verify", (tenth + 1) / _verified(folder, made.data), "facts/s", f"{ASKED} (standard library)", 50_000),
        row(f"inventory{_of(scale)}", reports[0][1], "s", asked, 10),
    ]


@dataclass(slots=True)
class _Keeping:
    """Copying and sealing; how long the sealing alone took."""

    copies: CopyStore
    log: SealedLog
    locks: LockStore
    count: int = 0
    took: float = 0.0

    async def take(self, ledger: str, facts: list[Record]) -> None:
        signer = self.log.signers[ledger]
        sealer = Sealer(ledger=ledger, copies=self.copies, shelf=self.log.shelf, locks=self.locks, signer=signer)
        for first in range(0, len(facts), BATCH):
            await Copier(ledger, self.copies).take(facts[first : first + BATCH], {})
            begin = perf_counter()
            await sealer.seal()
            self.took += perf_counter() - begin
        self.count += len(facts)


def _verified(folder: Path, pack: bytes) -> float:
    """Seconds that verify.pyz takes over a pack: Python alone, nothing of ours on its path."""
    path = folder / "pack.zip"
    path.write_bytes(pack)
    with zipfile.ZipFile(io.BytesIO(pack)) as whole:
        (folder / "verify.pyz").write_bytes(whole.read("verify.pyz"))
    begin = perf_counter()
    told = subprocess.run([sys.executable, "-I", "-S", folder / "verify.pyz", path], capture_output=True, text=True)
    if told.returncode:
        raise RuntimeError(told.stdout[-500:] + told.stderr[-500:])
    return perf_counter() - begin


def _signed_within(count: int = TAKEN) -> list[Row]:
    """Facts recorded through the registry's door of a whole stack, until a published checkpoint covers each."""
    with TemporaryDirectory(prefix="letopis-bench-") as name:
        data = Path(name)
        # As root, PostgreSQL may run as another user, who must get through.
        data.chmod(0o711)
        with stack.up(data, "--no-mlflow"):
            world = World.of(data, 0, lambda _who, _what: None)
            people.enrol(world)
            taken = [_covered(world, f"clerk-{number}") for number in range(count)]
    taken.sort()
    return [row("signed within", taken[int(len(taken) * 0.99)], "s", f"{ASKED} (p99)", 2)]


def _covered(world: World, login: str) -> float:
    body = {"login": login, "person": login, "name": login, "kind": "human", "organisation": "bank", "roles": []}
    sleep(random.Random(login).random())
    told = world["olga"].post("registry", "/v1/principals", body)["position"]
    position = int(str(told).rpartition("/")[2])
    begin = perf_counter()
    with httpx.Client(base_url=world.urls["audit"], trust_env=False) as log:
        while int(log.get("/log/registry/checkpoint").text.split("\n")[1]) < position:
            sleep(0.01)
    return perf_counter() - begin


def history(count: int, models: int) -> list[Record]:
    """A registry of that many facts: models with versions, evidence and promotions, and denials between them.

    Without approvals: their signatures are Ed25519 in plain Python, milliseconds each, and no matter of facts/s.
    """
    told = [
        ("registry.model.registered", {"model_id": f"m{at}", "name": f"M{at}", "owner": "anna", "description": ""})
        for at in range(models)
    ]
    number = 0
    while len(told) < count:
        number += 1
        model = f"m{number % models}"
        version, promotion = f"{model}.{number}", f"{model}.{number}.production"
        told += [
            ("registry.version.registered", _version(model, version, number)),
            *(("registry.evidence.added", _evidence(version, kind)) for kind in ("validation_report", "model_card")),
            ("registry.promotion.requested", _requested(version, promotion)),
            ("registry.promotion.completed", {"promotion_id": promotion}),
            ("registry.production.entered",
             {"model_id": model, "version_id": version, "version_digest": "d" * 64, "promotion_id": promotion,
              "replaces": None}),
            *(("registry.authorization.denied", {"action": "registry.version.delete", "n": n}) for n in range(14)),
        ]  # fmt: skip
    return [_fact("registry", at, kind, data) for at, (kind, data) in enumerate(told[:count], 1)]


def _version(model: str, version: str, number: int) -> dict[str, object]:
    manifest = {"flavour": "xgboost", "owner": "anna", "training_data": [], "environment": {"digest": "e" * 64}}
    about = {"version_id": version, "model_id": model, "model_name": model, "number": number, "digest": "d" * 64}
    return about | {"manifest": manifest, "author": "anna", "signature": "", "key_id": "registry"}


def _evidence(version: str, kind: str) -> dict[str, object]:
    return {
        "version_id": version,
        "kind": kind,
        "outcome": "passed",
        "summary": "as planned",
        "by": "vera",
        "digest": "f" * 64,
    }


def _requested(version: str, promotion: str) -> dict[str, object]:
    about = {"promotion_id": promotion, "version_id": version, "stage": "production", "tier": 2}
    return about | {"requester": "anna", "approvals_needed": 1, "policy_revision": "r" * 64}


def _fact(ledger: str, position: int, kind: str, data: object) -> Record:
    return Record(
        ledger=ledger,
        position=position,
        stream=f"bench:{position}",
        version=1,
        prev=0,
        event_id=UUID(int=(1 if ledger == "registry" else 2) << 100 | position),
        type=kind,
        schema_version=1,
        recorded_at=datetime.fromtimestamp(1_790_000_000 + position / 1000, UTC),
        command_id=UUID(int=position),
        salt=position.to_bytes(16, "big"),
        data=canonical(data),
        meta=b'{"actor":{"person":"anna"},"purpose":"development"}',
    )


def _time(position: int) -> str:
    return datetime.fromtimestamp(1_790_000_000 + position, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _of(scale: float) -> str:
    return "" if scale == 1 else f" (at {scale:g} of the size)"
