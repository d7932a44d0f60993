"""Tools and libraries that are not ours read our logs and check our proofs: one in Python, one in Go."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import (
    Checkpoint,
    ConsistencyProof,
    ConsistencyProofInvalid,
    InclusionProof,
    InclusionProofInvalid,
)

from letopis.common.leaf import leaf_bytes, leaf_hash

HERE = Path(__file__).parent
SIZE = 700
OLD = (1, 255, 256, 257, 511, 699)
POSITIONS = (1, 2, 256, 257, 512, 513, 699, 700)


@pytest.fixture(scope="module")
def stock(stocking, kit):
    async def act(chronicle, _):
        await chronicle.seal("decisions", kit.decisions(SIZE))

    return stocking(act)


@pytest.fixture
def sealed(chronicle, kit):
    """A log of three tiles with what is left over, its folder, and its records."""
    return chronicle.resources.log, chronicle.resources.log.shelf.root / "decisions", kit.decisions(SIZE)


class TestPython:
    """tlog-scales, which reads C2SP tlog-tiles and checks proofs after RFC 9162."""

    async def test_reads_checkpoint_tiles_and_entries(self, sealed, kit):
        log, folder, records = sealed
        theirs = TilesReader(LocalBackend(folder))
        head = theirs.get_checkpoint()
        head.verify(Vkey.from_string(log.signer("decisions").verifier().text()))
        assert (head.origin, head.size) == ("letopis.test/log/decisions", SIZE)
        assert theirs.calculate_root_hash() == head.root_hash
        assert [theirs.get_entry(at - 1) for at in POSITIONS] == [leaf_bytes(records[at - 1]) for at in POSITIONS]

    async def test_refuses_a_checkpoint_of_another_key(self, sealed):
        log, _, _ = sealed
        note = log.note("decisions")
        other = log.signer("registry").verifier().text()
        with pytest.raises(RuntimeError):
            Checkpoint.from_text(note).verify(Vkey.from_string(other))

    async def test_checks_our_proofs_and_makes_the_same(self, sealed):
        log, folder, records = sealed
        theirs = TilesReader(LocalBackend(folder))
        root = theirs.get_checkpoint().root_hash
        for position in POSITIONS:
            ours = log.inclusion("decisions", position, SIZE)
            leaf = leaf_hash(records[position - 1])
            InclusionProof(position - 1, SIZE, ours).check(leaf, root)
            assert theirs.get_inclusion_proof(position - 1, SIZE).node_hashes == ours
            with pytest.raises(InclusionProofInvalid):
                InclusionProof(position - 1, SIZE, ours).check(bytes(32), root)
        for old in OLD:
            ours = log.consistency("decisions", old, SIZE)
            ConsistencyProof(old, SIZE, ours).check(log.root("decisions", old), root)
            assert theirs.get_consistency_proof(old, SIZE).node_hashes == ours
            with pytest.raises(ConsistencyProofInvalid):
                ConsistencyProof(old, SIZE, ours).check(bytes(32), root)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The Go program, built with its modules from the module proxy or the cache."""
    go = shutil.which("go")
    assert go is not None, "Go is needed: this is the part of `make foreign`"
    program = tmp_path_factory.mktemp("go") / "stranger"
    done = subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=HERE / "go",
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.foreign
class TestGo:
    """golang.org/x/mod/sumdb/note and tlog, which Go's own checksum database is checked with."""

    async def test_reads_the_log_and_checks_our_proofs(self, sealed, stranger):
        log, folder, records = sealed
        told = _proofs(log, records)
        done = self._run(stranger, folder, log.signer("decisions").verifier().text(), told)
        assert (done.returncode, done.stdout) == (0, f"{SIZE} facts, {len(told)} proofs\n"), done.stderr

    async def test_refuses_what_was_changed(self, sealed, stranger):
        log, folder, records = sealed
        told = _proofs(log, records)
        key = log.signer("decisions").verifier().text()
        told[3]["leaf"] = "00" * 32
        assert self._run(stranger, folder, key, told).returncode == 1
        assert self._run(stranger, folder, log.signer("registry").verifier().text(), []).returncode == 1
        tile = folder / "tile" / "1" / "000.p" / "2"
        tile.chmod(0o644)
        tile.write_bytes(bytes(1) + tile.read_bytes()[1:])
        assert self._run(stranger, folder, key, []).returncode == 1

    def _run(self, stranger, folder, key, proofs):
        return subprocess.run(
            [stranger, folder, key], input=json.dumps(proofs), capture_output=True, text=True, timeout=60, check=False
        )


def _proofs(log, records):
    told = [
        {
            "position": at,
            "leaf": leaf_hash(records[at - 1]).hex(),
            "hashes": [one.hex() for one in log.inclusion("decisions", at, SIZE)],
        }
        for at in POSITIONS
    ]
    return told + [
        {
            "old": old,
            "old_root": log.root("decisions", old).hex(),
            "hashes": [one.hex() for one in log.consistency("decisions", old, SIZE)],
        }
        for old in OLD
    ]
