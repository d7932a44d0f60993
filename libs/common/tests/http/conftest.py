"""The shop over the real policy engine."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from letopis.common.policy.sources import Bundle, bundle_of, collect

# Tests are imported by path; what they share is loaded once under a name of its own.
_spec = importlib.util.spec_from_file_location("parcel", Path(__file__).with_name("parcel.py"))
parcel = importlib.util.module_from_spec(_spec)
sys.modules["parcel"] = parcel
_spec.loader.exec_module(parcel)


@pytest.fixture(scope="session")
def opa_url(opa_serving: Callable[[Bundle], str]) -> str:
    return opa_serving(bundle_of(collect([Path(__file__).parents[1] / "policy" / "rooms"])))


@pytest.fixture
async def shop(opa_url: str) -> AsyncIterator["parcel.Shop"]:
    async with parcel.open_shop(opa_url) as opened:
        yield opened
