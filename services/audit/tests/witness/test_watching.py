"""A witness signs what continues and nothing else, whatever it is handed, over restarts and at the same moment."""

import base64
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letopis.audit.checkpoint.lock import LockStore
from letopis.audit.log.merkle import consistency_proof, leaf_hash, node_hash, root_of
from letopis.audit.log.note import Checkpoint, sign_note
from letopis.audit.witness.cosignature import Cosigner
from letopis.audit.witness.watching import Unwitnessed, Witness, parse, submission
from letopis.common.clock import SystemClock

LEAVES = [leaf_hash(b"%d" % number) for number in range(40)]
OTHERS = [*LEAVES[:7], *(leaf_hash(b"other %d" % number) for number in range(7, 40))]


def nodes_of(leaves):
    def node(level, index):
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def asked(signer, old, size, leaves=LEAVES, proof=None):
    head = Checkpoint(signer.name, size, root_of(leaves[:size]))
    proof = consistency_proof(old, size, nodes_of(leaves)) if proof is None else proof
    return submission(old, proof, sign_note(head.text(), signer))


@pytest.fixture
def signer(kit):
    return kit.signer("decisions")


@pytest.fixture
def make(signer, tmp_path):
    cosigner = Cosigner("witness.example/audit", Ed25519PrivateKey.generate())
    return partial(
        Witness,
        cosigner=cosigner,
        logs={signer.name: signer.verifier()},
        heads=LockStore(tmp_path / "heads.sqlite"),
        clock=SystemClock(),
    )


def refused(witness, body):
    with pytest.raises(Unwitnessed) as caught:
        witness.add_checkpoint(body)
    return caught.value.status


class TestAddCheckpoint:
    def test_signs_what_continues_also_after_a_restart(self, make, signer):
        at = 0
        for size in (1, 2, 7, 8, 33, 33, 40):
            line = make().add_checkpoint(asked(signer, at, size))
            text = Checkpoint(signer.name, size, root_of(LEAVES[:size])).text()
            assert make().cosigner.verifier().cosigned(line.rstrip("\n"), text) is not None
            at = size
        assert make().heads.head(signer.name).size == 40

    def test_a_fork_is_never_signed(self, make, signer):
        make().add_checkpoint(asked(signer, 0, 12))
        assert refused(make(), asked(signer, 12, 20, OTHERS)) == 422
        assert refused(make(), asked(signer, 12, 12, OTHERS, proof=[])) == 409
        assert refused(make(), asked(signer, 0, 20, OTHERS)) == 409
        make().add_checkpoint(asked(signer, 12, 20))

    def test_says_where_it_stands(self, make, signer):
        make().add_checkpoint(asked(signer, 0, 12))
        with pytest.raises(Unwitnessed) as caught:
            make().add_checkpoint(asked(signer, 5, 20))
        assert (caught.value.status, caught.value.body) == (409, "12\n")

    def test_refuses_strangers_and_nonsense(self, make, signer, kit):
        assert refused(make(), asked(kit.signer("access"), 0, 5)) == 404
        forged = type(signer)(signer.name, Ed25519PrivateKey.generate())
        assert refused(make(), asked(forged, 0, 5)) == 403
        assert refused(make(), asked(signer, 9, 5, proof=[])) == 400
        assert refused(make(), asked(signer, 0, 5, proof=[bytes(32)])) == 422
        for body in (
            b"",
            b"old 0",
            b"old 00\n\n",
            b"old -1\n\nx",
            b"old " + b"9" * 5000 + b"\n\nx",
            b"\xff",
            b"old 0\nAAAA\n\nx",
            b"old 0\n\nnonsense",
        ):
            assert refused(make(), body) == 400
        many = "".join(f"{base64.b64encode(bytes(32)).decode()}\n" for _ in range(64))
        assert refused(make(), f"old 1\n{many}\nx".encode()) == 400
        assert make().heads.head(signer.name).size == 0

    def test_of_two_at_once_signs_one(self, make, signer):
        """Both were checked against the same head; the second must not roll it back."""
        make().add_checkpoint(asked(signer, 0, 3))
        bodies = [asked(signer, 3, size) for size in (9, 11, 13, 15)]

        def told(body):
            try:
                make().add_checkpoint(body)
            except Unwitnessed as no:
                return no.status
            return 200

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(told, bodies)) == [200, 409, 409, 409]
        assert make().heads.head(signer.name).size in {9, 11, 13, 15}

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=12))
    def test_all_that_is_ever_signed_is_one_history(self, make, signer, tmp_path, steps):
        (tmp_path / "heads.sqlite").unlink(missing_ok=True)
        signed = []
        for old, size, fork in steps:
            leaves = OTHERS if fork else LEAVES
            try:
                make().add_checkpoint(asked(signer, min(old, size), size, leaves))
            except Unwitnessed:
                continue
            signed.append((size, root_of(leaves[:size])))
        assert [size for size, _ in signed] == sorted(size for size, _ in signed)
        # One of the two histories explains all of them.
        assert any(all(root_of(leaves[:size]) == root for size, root in signed) for leaves in (LEAVES, OTHERS))


class TestParse:
    def test_reads_what_was_written(self, signer):
        body = asked(signer, 3, 12)
        given = parse(body)
        assert submission(given.old, given.proof, given.note) == body
