"""The verifier's tree and the log's are two tellings: each judges the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.audit.evidence.verifier import merkle as verifier
from letopis.audit.evidence.verifier.fault import Bad
from letopis.audit.log.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of

HASHES = [leaf_hash(bytes([number])) for number in range(150)]
# Of two bytes, so that it is none of them.
OTHER = leaf_hash(b"xx")


def nodes(level, index):
    return root_of(HASHES[index << level : (index + 1) << level])


sizes = st.integers(1, 150)


class TestTellings:
    @given(st.integers(0, 150))
    def test_of_the_root_agree(self, size):
        assert verifier.root(HASHES[:size]) == root_of(HASHES[:size])
        assert verifier.leaf_hash(b"leaf") == leaf_hash(b"leaf")

    @given(sizes, st.data())
    def test_of_inclusion_agree(self, size, data):
        index = data.draw(st.integers(0, size - 1))
        proof = inclusion_proof(index, size, nodes)
        assert verifier.included(index, size, HASHES[index], proof) == root_of(HASHES[:size])
        with pytest.raises(Bad):
            verifier.included(index, size, HASHES[index], [*proof, HASHES[0]])
        if proof:
            with pytest.raises(Bad):
                verifier.included(index, size, HASHES[index], proof[:-1])
        with pytest.raises(Bad):
            verifier.included(size, size, HASHES[index], proof)

    @given(st.integers(0, 150), sizes, st.data())
    def test_of_consistency_agree(self, one, other, data):
        old, size = sorted((one, other))
        before, after, proof = root_of(HASHES[:old]), root_of(HASHES[:size]), consistency_proof(old, size, nodes)
        assert verifier.consistent(old, size, before, after, proof)
        assert not verifier.consistent(old, size, OTHER, after, proof)
        assert not verifier.consistent(old, size, before, after, [*proof, after])
        if 0 < old < size:
            at = data.draw(st.integers(0, len(proof) - 1))
            assert not verifier.consistent(old, size, before, OTHER, proof)
            assert not verifier.consistent(old, size, before, after, proof[:-1])
            assert not verifier.consistent(old, size, before, after, [*proof[:at], OTHER, *proof[at + 1 :]])
            assert not verifier.consistent(size, old, after, before, proof)
