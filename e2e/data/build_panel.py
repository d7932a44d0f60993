"""Builds the credit panel and its synthetic people from the published CSV: python build_panel.py uci_credit_card.csv.

The panel holds six rows an account, April to September 2005. What is read from the CSV (I-Cheng Yeh, 2009, CC BY 4.0):
status, bill and paid of each month, limit, age, sex, education, marriage. What is computed: utilisation = bill / limit,
and label = the next month's status is at least 2; for September it is `default payment next month`.
The people file is invented: names, e-mails and telephone numbers follow from the account number by SHA-256.
"""

import argparse
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

HERE = Path(__file__).parent
MONTHS = tuple(date(2005, month, 1) for month in range(4, 10))
# The CSV counts back from September; its first status column is PAY_0 and there is no PAY_1.
STATUS = ("PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0")
BILL = tuple(f"BILL_AMT{back}" for back in range(6, 0, -1))
PAID = tuple(f"PAY_AMT{back}" for back in range(6, 0, -1))

GIVEN = ("Anna", "Boris", "Elena", "Ivan", "Maria", "Pavel", "Olga", "Sergey", "Irina", "Dmitry", "James", "Mary",
         "Robert", "Linda", "David", "Susan", "Wei", "Ming", "Hui", "Jun")  # fmt: skip
FAMILY = ("Ivanov", "Petrova", "Orlov", "Smirnova", "Volkov", "Zaitseva", "Johnson", "Anderson", "Peterson", "Gibson",
          "Chen", "Hansen", "Coleman", "Martinez", "Gomez", "Newman")  # fmt: skip


def code_of(table: pa.Table, prefix: str, levels: int) -> np.ndarray:
    """The code that a one-hot group spells; exactly one column is set in every row."""
    hot = np.stack([table[f"{prefix}_{level}"].to_numpy() for level in range(levels)])
    if not (hot.sum(axis=0) == 1).all():
        raise SystemExit(f"{prefix} is not one-hot")
    codes: np.ndarray = hot.argmax(axis=0)
    return codes.astype(np.int16)


def panel(table: pa.Table) -> pa.Table:
    """Accounts x 6 rows, ordered by month, then account."""
    accounts = table["ID"].to_numpy().astype(np.int32)
    status = [table[name].to_numpy().astype(np.int16) for name in STATUS]
    defaulted = table["default-payment-next-month"].to_numpy() == 1
    labels = [later >= 2 for later in status[1:]] + [defaulted]
    limit = table["LIMIT_BAL"].to_numpy()
    education, marriage = code_of(table, "EDUCATION", 7), code_of(table, "MARRIAGE", 4)
    parts = []
    for month, codes, bill_name, paid_name, label in zip(MONTHS, status, BILL, PAID, labels, strict=True):
        bill = table[bill_name].to_numpy()
        columns = {
            "account_id": pa.array(accounts),
            "month": pa.array(np.full(len(accounts), np.datetime64(month)), pa.date32()),
            "status": pa.array(codes),
            "bill": pa.array(bill),
            "paid": pa.array(table[paid_name].to_numpy()),
            "utilisation": pa.array(np.round(bill / limit, 6)),
            "limit_amount": pa.array(limit),
            "age": pa.array(table["AGE"].to_numpy().astype(np.int16)),
            "sex": pa.array(table["SEX"].to_numpy().astype(np.int16)),
            "education": pa.array(education),
            "marriage": pa.array(marriage),
            "label": pa.array(label.astype(np.int8)),
        }
        parts.append(pa.table(columns))
    return (
        pa.concat_tables(parts)
        .combine_chunks()
        .replace_schema_metadata(
            {"source": "I-Cheng Yeh (2009), Default of Credit Card Clients, UCI, doi 10.24432/C55S3H, CC BY 4.0"}
        )
    )


def people(accounts: np.ndarray) -> pa.Table:
    """Invented people; nothing here comes from the source. E-mail and telephone cannot exist (RFC 2606; code +999)."""
    rows = []
    for account in accounts:
        seed = int.from_bytes(sha256(f"letopis synthetic person {account}".encode()).digest()[:12])
        seed, given = divmod(seed, len(GIVEN))
        seed, family = divmod(seed, len(FAMILY))
        number = f"{seed % 10**9:09d}"
        rows.append(
            {
                "account_id": int(account),
                "full_name": f"{GIVEN[given]} {FAMILY[family]}",
                "email": f"{GIVEN[given]}.{FAMILY[family]}.{account}@synthetic.example".lower(),
                "phone": f"+999 {number[:3]} {number[3:6]} {number[6:]}",
            }
        )
    schema = pa.schema(
        [("account_id", pa.int32()), ("full_name", pa.string()), ("email", pa.string()), ("phone", pa.string())],
        metadata={"synthetic": "invented for demonstrations; follows from account_id; no real person"},
    )
    return pa.Table.from_pylist(rows, schema=schema)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("csv", type=Path, help="the published table, one row an account")
    arguments.add_argument("--out", type=Path, default=HERE, help="where the two Parquet files go")
    given = arguments.parse_args()
    table = csv.read_csv(given.csv)
    options = {"compression": "zstd", "compression_level": 19, "row_group_size": 30_000, "store_schema": False}
    parquet.write_table(panel(table), given.out / "credit_panel.parquet", **options)
    parquet.write_table(people(table["ID"].to_numpy()), given.out / "synthetic_people.parquet", **options)


if __name__ == "__main__":
    main()
