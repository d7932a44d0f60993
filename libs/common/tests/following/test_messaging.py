"""What travels: CloudEvents and segments that say the same as the stored facts."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letopis.common.leaf import leaf_hash
from letopis.common.messaging import MessageError, cloudevent, last_position, segments, subject_of, told_in
from letopis.common.testing.sample import MONEY, Deposited, facts, records

TOLD = records("money", facts(MONEY, *(Deposited(account="счёт", amount=n) for n in range(40))))


class TestCloudEvent:
    def test_is_structured_json_of_version_one(self):
        (record,) = records("money", facts(MONEY, Deposited(account="a", amount=2**53 - 1)), after=2**33)
        event = json.loads(cloudevent(record))
        assert event.pop("data")["position"] == str(2**33 + 1)
        assert event == {
            "specversion": "1.0",
            "id": str(record.event_id),
            "source": "urn:letopis:money",
            "type": "money.account.deposited",
            "subject": "sample:1",
            "time": event["time"],
            "datacontenttype": "application/json",
            "ledger": "money",
            "position": str(2**33 + 1),
            "prevposition": str(2**33),
            "leafhash": leaf_hash(record).hex(),
        }
        # CloudEvents 1.0: names of attributes are lower case letters and digits; values are strings here.
        assert all(name.isalnum() and name.islower() for name in event)
        assert all(isinstance(value, str) for value in event.values())

    def test_comes_back_as_the_record(self):
        told = told_in(subject_of(TOLD[3]), cloudevent(TOLD[3]))
        assert (told.last, told.records, told.leafhashes) == (4, [TOLD[3]], {4: leaf_hash(TOLD[3])})

    def test_too_large_says_where_the_data_are(self):
        large = replace(TOLD[3], data=b"x" * 5000)
        body = cloudevent(large, most=4000)
        assert json.loads(body)["dataref"] == "/v1/ledgers/money/facts?after=3&limit=1"
        assert told_in("letopis.money.account.deposited", body).records == []

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"position":"1","data":{},"leafhash":""}'])
    @pytest.mark.parametrize("subject", ["letopis.money.segment", "letopis.money.account.deposited"])
    def test_refuses_what_is_no_news(self, subject, body):
        with pytest.raises(MessageError):
            told_in(subject, body)


class TestSegments:
    @given(st.integers(1, 40), st.integers(500, 20_000))
    def test_hold_all_records_in_messages_that_are_small_enough(self, count, most):
        told = TOLD[:count]
        parts = segments(told, most)
        assert all(len(body) <= most for _, body in parts)
        assert [one for part, _ in parts for one in part] == told
        assert [one for _, body in parts for one in told_in("letopis.money.segment", body).records] == told

    def test_leave_out_a_record_that_fits_nowhere(self):
        assert segments(TOLD[:1], 10) == []


class TestMessageId:
    @pytest.mark.parametrize(("name", "last"), [("money:7", 7), ("money:3-9", 9), ("decisions-eu:12-40", 40)])
    def test_names_the_last_position(self, name, last):
        assert last_position(name) == last
