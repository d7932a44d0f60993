"""A view is a fold, and the check that proves it finds those that are not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.projecting import Rows
from letopis.common.projecting.folding import ViewStuck
from letopis.common.projecting.met import ROWS, Met
from letopis.common.projecting.rows import ViewError
from letopis.common.projecting.view import checked
from letopis.common.testing.sample import MONEY, NAMES, Balances, Deposited, Named, Reversed, Turnovers, facts, records
from letopis.common.testing.views import check_view

ACCOUNTS = st.sampled_from(["a", "b", "c"])
MONEY_FACTS = st.lists(
    st.one_of(
        st.builds(Deposited, account=ACCOUNTS, amount=st.integers(-100, 100)),
        st.builds(Reversed, account=ACCOUNTS, position=st.integers(1, 20)),
    ),
    max_size=30,
)
NAME_FACTS = st.lists(st.builds(Named, account=ACCOUNTS, names=st.lists(st.text(max_size=3), max_size=3)), max_size=10)


class TestCheckView:
    @settings(max_examples=40, deadline=None)
    @given(money=MONEY_FACTS, names=NAME_FACTS, seed=st.integers(0, 1000))
    def test_accepts_a_fold(self, money, names, seed):
        told = records("money", facts(MONEY, *money)) + records("names", facts(NAMES, *names))
        content = check_view(Balances, told, tries=5, seed=seed)
        for account in {one.account for one in money if isinstance(one, Deposited)}:
            entries = sum(row["amount"] for key, row in content["entry"].items() if key[0] == account)
            assert content["account"][account,]["amount"] == entries

    def test_finds_a_view_that_depends_on_the_order_of_ledgers(self):
        class LastWord(Balances):
            def project(self, rows, told):
                row = rows[self.account, (told.fact.account,)] or {
                    "account": told.fact.account,
                    "names": [],
                    "amount": 0,
                }
                rows[self.account, (told.fact.account,)] = {**row, "names": [told.record.ledger]}

        told = records("money", facts(MONEY, Deposited(account="a", amount=1)))
        told += records("names", facts(NAMES, Named(account="a", names=[])))
        with pytest.raises(AssertionError, match="interleaving"):
            check_view(LastWord, told)

    def test_finds_a_view_that_changes_a_row_in_place(self):
        class Careless(Balances):
            def project(self, rows, told):
                row = rows[self.account, (told.fact.account,)]
                if row is None:
                    rows[self.account, (told.fact.account,)] = {"account": told.fact.account, "names": [], "amount": 0}
                else:
                    row["amount"] += 1

        with pytest.raises(AssertionError, match="one by one"):
            check_view(Careless, records("money", facts(MONEY, *[Deposited(account="a", amount=1)] * 3)))

    def test_finds_a_view_that_remembers(self):
        class Remembering(Balances):
            seen = 0

            def project(self, rows, told):
                type(self).seen += 1
                rows[self.account, (told.fact.account,)] = {"account": "a", "names": [], "amount": self.seen}

        with pytest.raises(AssertionError, match="one by one"):
            check_view(Remembering, records("money", facts(MONEY, *[Deposited(account="a", amount=1)] * 3)))


class TestShares:
    ACCOUNTS = records("money", facts(MONEY, *(Deposited(account=f"{n % 5}", amount=n) for n in range(40))))

    def test_accepts_streams_that_touch_rows_of_their_own(self):
        told = [replace(one, stream=f"account:{one.position % 5}") for one in self.ACCOUNTS]
        assert len(check_view(Turnovers, told, tries=3)["turnover"]) == 5

    def test_finds_rows_that_two_streams_touch(self):
        told = [replace(one, stream=f"account:{one.position % 4}") for one in self.ACCOUNTS]
        with pytest.raises(AssertionError, match="touched by two shares"):
            check_view(Turnovers, told, tries=1)

    def test_a_view_of_two_ledgers_has_none(self):
        class Both(Balances):
            shares = "stream"

        with pytest.raises(ViewError, match="one ledger"):
            checked(Both)


class TestMet:
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=200))
    def test_never_denies_a_key_that_is_there_and_tells_rows_as_they_are(self, told):
        met, there = Met(), {}
        for number, (kept, key) in enumerate(told):
            if kept:
                there[key] = (key, number)
                met.wrote([((key,), (key, number))], [])
            else:
                there.pop(key, None)
                met.wrote([], [(key,)])
            for one in range(31):
                assert met.ever((one,)) or one not in there
                assert met.row((one,)) == there.get(one)

    def test_keeps_a_number_of_rows_only(self):
        met = Met()
        met.wrote((((n,), (n,)) for n in range(ROWS + 1)), [])
        assert met.row((0,)) is None
        assert met.row((ROWS,)) == (ROWS,)
        assert all(met.ever((n,)) for n in range(0, ROWS, 997))
        assert sum(met.ever((n,)) for n in range(ROWS, 2 * ROWS)) < ROWS // 100


class TestRows:
    @pytest.mark.parametrize(
        "row",
        [
            {"account": "b", "amount": 1, "names": []},
            {"account": "a", "amount": 1, "names": [], "colour": "red"},
        ],
    )
    def test_refuses_a_row_that_does_not_fit(self, row):
        rows = Rows()
        rows.hold(Balances.account, [("a",)], {})
        with pytest.raises(ViewError):
            rows[Balances.account, ("a",)] = row

    def test_refuses_keys_that_were_not_named(self):
        rows = Rows()
        rows.hold(Balances.account, [("a",)], {})
        with pytest.raises(ViewError):
            rows[Balances.account, ("b",)]
        with pytest.raises(ViewError):
            del rows[Balances.account, ("b",)]
        with pytest.raises(ViewError):
            rows[Balances.entry, ("a", 1)] = {"account": "a", "position": 1, "amount": 1}

    def test_stuck_names_the_fact(self):
        class Broken(Balances):
            def project(self, rows, told):
                if told.fact.amount == 13:
                    raise ValueError
                super().project(rows, told)

        told = records("money", facts(MONEY, *(Deposited(account="a", amount=n) for n in (1, 13, 2))))
        with pytest.raises(ViewStuck) as stuck:
            check_view(Broken, told)
        assert stuck.value.position == 2


class TestShape:
    def test_follows_tables_and_ledgers_and_nothing_else(self):
        class Same(Balances):
            name = "other"

        class Fewer(Balances):
            sources = {"money": MONEY}

        assert Same.shape() == Balances.shape() != Fewer.shape()
