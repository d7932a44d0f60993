"""The panel is what SOURCE.md says, and the script that built it does what it says."""

import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def panel() -> pa.Table:
    return parquet.read_table(HERE / "credit_panel.parquet")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_panel", HERE / "build_panel.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def month_of(panel: pa.Table, month: int) -> dict[str, np.ndarray]:
    chosen = panel.filter(pa.compute.equal(panel["month"], date(2005, month, 1)))
    return {name: chosen[name].to_numpy() for name in ("account_id", "status", "label")}


class TestPanel:
    def test_has_six_months_of_thirty_thousand_accounts(self, panel: pa.Table) -> None:
        assert panel.num_rows == 180_000
        assert sorted(set(panel["month"].to_pylist())) == [date(2005, month, 1) for month in range(4, 10)]
        for month in range(4, 10):
            assert len(set(month_of(panel, month)["account_id"])) == 30_000

    def test_holds_the_september_recoding_of_status_code_1(self, panel: pa.Table) -> None:
        assert (month_of(panel, 8)["status"] == 1).sum() == 28
        assert (month_of(panel, 9)["status"] == 1).sum() == 3_688

    @pytest.mark.parametrize("month", [4, 5, 6, 7, 8])
    def test_labels_a_month_by_the_status_of_the_next(self, panel: pa.Table, month: int) -> None:
        now, later = month_of(panel, month), month_of(panel, month + 1)
        assert (now["account_id"] == later["account_id"]).all()
        assert (now["label"] == (later["status"] >= 2)).all()

    def test_labels_september_by_the_published_default(self, panel: pa.Table) -> None:
        # 22.12 % is the default rate of the publication: 6,636 of 30,000.
        assert month_of(panel, 9)["label"].sum() == 6_636

    def test_has_no_missing_value_and_no_invented_person(self, panel: pa.Table) -> None:
        assert all(column.null_count == 0 for column in panel.columns)
        assert not {"full_name", "email", "phone"} & set(panel.column_names)


class TestPeople:
    def test_follow_from_the_account_number_alone(self, script: ModuleType) -> None:
        stored = parquet.read_table(HERE / "synthetic_people.parquet")
        chosen = np.array([1, 17, 29_999])
        rows = {row["account_id"]: row for row in stored.to_pylist()}
        assert script.people(chosen).to_pylist() == [rows[account] for account in chosen]

    def test_cannot_be_real(self) -> None:
        stored = parquet.read_table(HERE / "synthetic_people.parquet")
        assert stored.num_rows == 30_000
        assert all(address.endswith("@synthetic.example") for address in stored["email"].to_pylist())
        assert all(number.startswith("+999 ") for number in stored["phone"].to_pylist())


class TestBuild:
    def test_turns_one_published_row_into_six(self, script: ModuleType) -> None:
        one = {name: [0.0] for name in (*script.BILL, *script.PAID)} | {name: [0] for name in script.STATUS}
        one |= {"BILL_AMT6": [50.0], "PAY_AMT6": [7.0], "PAY_6": [3], "PAY_5": [2], "PAY_0": [1]}
        one |= {"ID": [9], "LIMIT_BAL": [200.0], "SEX": [1], "AGE": [24], "default-payment-next-month": [1]}
        one |= {f"EDUCATION_{level}": [int(level == 2)] for level in range(7)}
        one |= {f"MARRIAGE_{level}": [int(level == 1)] for level in range(4)}
        rows = script.panel(pa.table(one)).to_pylist()
        assert [row["label"] for row in rows] == [1, 0, 0, 0, 0, 1]
        april = rows[0]
        assert (april["status"], april["bill"], april["paid"], april["utilisation"]) == (3, 50.0, 7.0, 0.25)
        assert (april["education"], april["marriage"], april["sex"], april["age"]) == (2, 1, 1, 24)
