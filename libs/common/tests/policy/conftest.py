"""The room to learn from, as rooms and as a bundle."""

from pathlib import Path

import pytest

from letopis.common.policy.sources import Bundle, Room, bundle_of, collect

ROOMS = Path(__file__).parent / "rooms"


@pytest.fixture(scope="session")
def rooms() -> list[Room]:
    return collect([ROOMS])


@pytest.fixture(scope="session")
def demo(rooms: list[Room]) -> Bundle:
    return bundle_of(rooms)
