"""What continues when the object store or the key store is away; the other parts' rows are in `make chaos`."""

import pytest
from e2e.chaos.stop_table import KEYS, OBJECTS, TABLE, served

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The newest kept installation, in which a model is served."""
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


class TestStopTable:
    @pytest.mark.parametrize("part", [OBJECTS, KEYS])
    def test_every_door_answers_as_the_table_says(self, table, part):
        table.strike(part)
        assert table.strikes[part] == 1
        assert {door: table.found[part, door] for door in TABLE[part]} == TABLE[part]

    def test_nothing_was_lost_doubled_or_done_in_spite_of_a_refusal(self, table):
        found = table.read()
        assert found.good, found
        assert found.acknowledged > 1000
