"""The fast encoding of a decision has the canonical bytes of the slow one."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from letopis.common.sealing import is_sealed
from letopis.common.serialization import canonical
from letopis.common.testing.sample import records
from letopis.common.testing.sealing import EndlessKeys, MemoryKeyStore, opened, sealer
from letopis.inference.contract import DECISIONS, DecisionMade, LookedUp, ReasonCode
from letopis.inference.scoring.record import record_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(datetime(2005, 1, 1), datetime(2105, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 bounds are naive
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    inputs=st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | NUMBERS | TEXTS),
    score=NUMBERS,
    decided_at=TIMES,
    as_of=st.none() | TIMES,
    text=TEXTS,
)
def test_equal_bytes(
    inputs: dict[str, float | int | str | bool | None],
    score: float,
    decided_at: datetime,
    as_of: datetime | None,
    text: str,
) -> None:
    decision = DecisionMade(
        application="credit",
        api_version="v1",
        model_id="m",
        version_id="m.1",
        version_digest="d",
        consumer=text,
        entity="account_id",
        entity_id=text,
        inputs=inputs,
        looked_up=(LookedUp(name=text, status="PRESENT", event_time=None, known_time="2005-04-30T00:00:00Z"),),
        score=score,
        cutoff=0.5,
        decision="accept",
        reasons=(ReasonCode(name=text, contribution=score),),
        decided_at=decided_at,
        as_of=as_of,
        kind="batch",
        job_id="",
        row=3,
    )
    keys = EndlessKeys(MemoryKeyStore())
    fact = record_of(decision, b"{}", sealer("decisions", keys))
    stored = DECISIONS.decode(fact.type, fact.schema_version, fact.data)
    assert is_sealed(stored.inputs)
    assert fact.data == canonical(stored)
    assert canonical(inputs) not in fact.data or inputs == {}
    (record,) = opened(records("decisions", [fact]), DECISIONS, keys)
    assert record.data == canonical(decision)
    assert DECISIONS.decode(fact.type, fact.schema_version, record.data) == decision
