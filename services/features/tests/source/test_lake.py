"""Files below the root, and none outside it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from letopis.features.source.lake import FileChanged, FileUnusable, Lake

TABLE = pa.table({"Account_ID": [1, 2, 3], "email": ["a@x.org", "b@x.org", "c@x.org"]})


@pytest.fixture
def lake(tmp_path):
    root = tmp_path / "sources"
    (root / "in").mkdir(parents=True)
    pq.write_table(TABLE, root / "in" / "a.parquet")
    pq.write_table(TABLE, tmp_path / "outside.parquet")
    (root / "link.parquet").symlink_to(tmp_path / "outside.parquet")
    (root / "text.parquet").write_text("not parquet")
    pq.write_table(pa.table({"x": [1], "X": [2]}), root / "twice.parquet")
    return Lake(root)


def test_looks_at_files(lake):
    seen = lake.look(["in/a.parquet"])
    assert [(one.name, one.type) for one in seen.columns] == [("account_id", "BIGINT"), ("email", "VARCHAR")]
    assert [(one.rows, len(one.sha256)) for one in seen.files] == [(3, 64)]
    assert [(one.column, one.cls, one.kind) for one in seen.proposals] == [
        ("account_id", "internal", ""),
        ("email", "personal", "email"),
    ]


@pytest.mark.parametrize(
    "name", ["../outside.parquet", "/etc/passwd", "link.parquet", "text.parquet", "twice.parquet", "gone.parquet", "in"]
)
def test_takes_no_other(lake, name):
    with pytest.raises(FileUnusable):
        lake.look([name])


def test_loads_the_asked_columns(lake):
    files = lake.look(["in/a.parquet"]).files
    assert lake.load(files, ("account_id",)).to_pydict() == {"account_id": [1, 2, 3]}


def test_one_changed_byte_is_noticed(lake):
    files = lake.look(["in/a.parquet"]).files
    path = lake.root / "in" / "a.parquet"
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(FileChanged):
        lake.load(files, ("account_id",))


def test_a_lost_file_is_a_changed_one(lake):
    files = lake.look(["in/a.parquet"]).files
    (lake.root / "in" / "a.parquet").unlink()
    with pytest.raises(FileChanged):
        lake.load(files, ("account_id",))
