"""The object store: content decides the name, and a changed byte is noticed."""

from hashlib import sha256

import pytest

from letopis.common.errors import Invalid, NotFound, ObjectDamaged, Unavailable
from letopis.common.objects import ObjectStore


@pytest.fixture
def store(tmp_path):
    return ObjectStore(tmp_path.as_uri())


class TestObjects:
    def test_keeps_bytes_under_their_hash(self, store):
        sha = store.put(b"model")
        assert sha == sha256(b"model").hexdigest()
        assert store.get(sha) == b"model"
        assert store.put(b"model") == sha

    def test_keeps_files(self, store, tmp_path):
        source = tmp_path / "x"
        source.write_bytes(b"y" * 3_000_000)
        assert store.get(store.put_file(source)) == source.read_bytes()

    def test_names_a_changed_byte(self, store):
        sha = store.put(b"model")
        store.path(sha).write_bytes(b"modem")
        with pytest.raises(ObjectDamaged):
            store.get(sha)

    def test_knows_what_is_not_there(self, store):
        with pytest.raises(NotFound):
            store.get("0" * 64)

    def test_a_store_that_is_gone_is_no_word_about_its_objects(self, tmp_path):
        store = ObjectStore((tmp_path / "share").as_uri())
        sha = store.put(b"model")
        (tmp_path / "share").rename(tmp_path / "unmounted")
        for ask in (store.get, store.has, lambda _: store.put(b"another")):
            with pytest.raises(Unavailable):
                ask(sha)
        # Nothing was written where the share will be mounted again.
        assert not (tmp_path / "share").exists()
        (tmp_path / "share").mkdir()
        with pytest.raises(NotFound):
            store.get(sha)

    @pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "", "0" * 63])
    def test_refuses_names_that_are_no_hash(self, store, name):
        with pytest.raises(Invalid):
            store.path(name)
