"""A stack of its own for the tests that need all of it, started by the command a person types; the journey on it."""

import json
from pathlib import Path

import pytest
from e2e.journey.story import play
from e2e.journey.world import World
from e2e.stacks import Stack, running
from e2e.storm import raised

HERE = Path(__file__).parent
ENDS = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """A stack ends with the last test that looks at it: idle, it would still take its part of the machine."""
    done = yield
    ends = item.session.stash.get(ENDS, {})
    ours = [one for one in item.session.items if one.path.is_relative_to(HERE)] if ends else []
    for name in ends.keys() & set(item.fixturenames):
        if item is next(one for one in reversed(ours) if name in one.fixturenames):
            ends.pop(name)()
    return done


@pytest.fixture(scope="session")
def stack(request, tmp_path_factory):
    """A running stack in profile demo; its data directory."""
    with running(tmp_path_factory.mktemp("stack") / "data") as started:
        request.session.stash.setdefault(ENDS, {})["stack"] = started.down
        yield started.data


@pytest.fixture(scope="session")
def told():
    """What the journey told, act by act."""
    return []


@pytest.fixture(scope="session")
def world(stack, told):
    assert json.loads((stack / "endpoints.json").read_text("utf-8"))["profile"] == "demo"
    found = World.of(stack, 2000, lambda who, what: told.append((who, what)))
    yield found
    found.http.close()


@pytest.fixture(scope="session")
def story(world, tmp_path_factory):
    """The journey, played once for all tests that look at what it left behind."""
    return play(world, tmp_path_factory.mktemp("journey"))


@pytest.fixture(scope="session")
def whole(stack, story):
    """The stack after the journey, to look into and to hurt where it heals."""
    return Stack(stack)


@pytest.fixture(scope="session")
def storm(request, tmp_path_factory):
    """A second, small stack on which the journey was played while its parts were killed."""
    with running(tmp_path_factory.mktemp("storm") / "data") as started:
        request.session.stash.setdefault(ENDS, {})["storm"] = started.down
        storm = raised(started, tmp_path_factory.mktemp("stormy"))
        yield storm
        storm.world.http.close()
