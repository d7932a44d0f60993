"""Released facts keep their shape for ever: the stored bytes of one of each kind."""

from pathlib import Path

from letopis.audit.contract import PUBLISHED
from letopis.common.testing.golden import check_golden


def test_every_fact_keeps_its_bytes() -> None:
    check_golden(PUBLISHED, Path(__file__).with_name("golden"))
