"""The tree against published vectors, a brute-force twin and a real Certificate Transparency log."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.audit.log.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_proof,
    frontier_at,
    head_at,
    inclusion_proof,
    leaf_hash,
    root_of,
)

ARGON = json.loads((Path(__file__).parents[1] / "data" / "argon2020.json").read_text("utf-8"))

# The leaves and roots of the Certificate Transparency reference tests (google/certificate-transparency).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(entries):
    """RFC 6962 section 2.1, word by word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m, entries):
    """RFC 6962 section 2.1.1, word by word."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m, entries, *, whole):
    """RFC 6962 section 2.1.2, word by word."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def nodes_of(entries):
    return lambda level, index: mth(entries[index << level : (index + 1) << level])


def entries_of(count):
    return [f"leaf {number}".encode() for number in range(count)]


sizes = st.integers(1, 70)


class TestRoot:
    def test_is_the_published_one_for_each_size(self):
        for count, root in enumerate(ROOTS, 1):
            assert root_of(map(leaf_hash, LEAVES[:count])).hex() == root

    def test_of_the_empty_tree_is_the_hash_of_nothing(self):
        assert (
            root_of([])
            == EMPTY_ROOT
            == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        )

    @given(sizes, sizes)
    def test_does_not_depend_on_how_the_tree_grew(self, first, second):
        hashes = [leaf_hash(entry) for entry in entries_of(first + second)]
        grown = Frontier().extended(hashes[:first]).extended(hashes[first:])
        assert grown.root() == mth(entries_of(first + second))
        assert frontier_at(first + second, nodes_of(entries_of(first + second))) == grown

    @given(sizes, sizes)
    def test_of_an_earlier_size_is_read_from_the_later_tree(self, old, more):
        entries = entries_of(old + more)
        assert head_at(old, nodes_of(entries)) == mth(entries[:old])


class TestInclusion:
    @given(sizes, st.data())
    def test_proof_is_the_brute_force_one_and_leads_to_the_root(self, size, data):
        entries, index = entries_of(size), data.draw(st.integers(0, size - 1))
        proof = inclusion_proof(index, size, nodes_of(entries))
        assert proof == path(index, entries)
        check_inclusion(index, size, leaf_hash(entries[index]), proof, mth(entries))

    @given(sizes, st.data())
    def test_nothing_else_is_proved(self, size, data):
        entries, index = entries_of(size), data.draw(st.integers(0, size - 1))
        proof, root, leaf = path(index, entries), mth(entries), leaf_hash(entries[index])
        wrong = [
            (index, size, leaf_hash(b"other"), proof, root),
            (index, size, leaf, [*proof, root], root),
            (index, size, leaf, proof, leaf_hash(b"other")),
            (size, size, leaf, proof, root),
            (-1, size, leaf, proof, root),
        ]
        if proof:
            wrong += [
                (index, size, leaf, proof[:-1], root),
                (index ^ 1, size, leaf, proof, root),
                *(
                    (index, size, leaf, [*proof[:at], leaf_hash(b"other"), *proof[at + 1 :]], root)
                    for at in range(len(proof))
                ),
            ]
        for case in wrong:
            with pytest.raises(BadProof):
                check_inclusion(*case)

    def test_of_a_real_certificate_leads_to_the_logs_own_root(self):
        """Google Argon 2020: 961,984,013 certificates."""
        proof = [b64decode(one) for one in ARGON["audit_path"]]
        leaf, root = leaf_hash(b64decode(ARGON["leaf_input"])), b64decode(ARGON["root"])
        check_inclusion(ARGON["leaf_index"], ARGON["size"], leaf, proof, root)

    def test_is_refused_outside_the_tree(self):
        with pytest.raises(IndexError):
            inclusion_proof(3, 3, nodes_of(entries_of(3)))


class TestConsistency:
    @given(sizes, st.integers(0, 70))
    def test_proof_is_the_brute_force_one_and_leads_to_both_roots(self, old, more):
        entries = entries_of(old + more)
        proof = consistency_proof(old, old + more, nodes_of(entries))
        assert proof == subproof(old, entries, whole=True)
        check_consistency(old, old + more, mth(entries[:old]), mth(entries), proof)

    @given(sizes, st.integers(1, 70), st.data())
    def test_nothing_else_is_proved(self, old, more, data):
        entries, size = entries_of(old + more), old + more
        proof, before, after = subproof(old, entries, whole=True), mth(entries[:old]), mth(entries)
        at = data.draw(st.integers(0, len(proof) - 1))
        for case in [
            (old, size, leaf_hash(b"other"), after, proof),
            (old, size, before, leaf_hash(b"other"), proof),
            (old, size, before, after, [*proof, after]),
            (old, size, before, after, proof[:-1]),
            (old, size, before, after, [*proof[:at], leaf_hash(b"other"), *proof[at + 1 :]]),
            (size + 1, size, before, after, proof),
            (size, size, before, after, []),
        ]:
            with pytest.raises(BadProof):
                check_consistency(*case)

    def test_from_the_empty_tree_needs_no_proof(self):
        check_consistency(0, 5, EMPTY_ROOT, mth(entries_of(5)), [])
        with pytest.raises(BadProof):
            check_consistency(0, 5, mth(entries_of(5)), mth(entries_of(5)), [])

    def test_between_two_heads_of_a_real_log(self):
        """Google Argon 2020: from 3,654,490 to 961,984,013 certificates."""
        proof = [b64decode(one) for one in ARGON["consistency"]]
        heads = b64decode(ARGON["old_root"]), b64decode(ARGON["root"])
        check_consistency(ARGON["old_size"], ARGON["size"], *heads, proof)

    def test_is_refused_backwards(self):
        with pytest.raises(IndexError):
            consistency_proof(4, 3, nodes_of(entries_of(4)))
