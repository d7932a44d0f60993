"""A stack of its own for the tests that need all of it, started by the command a person types; the journey on it."""

import json

import pytest
from e2e.journey.story import play
from e2e.journey.world import World
from e2e.stacks import Stack, running
from e2e.storm import raised


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """A running stack in profile demo; its data directory."""
    with running(tmp_path_factory.mktemp("stack") / "data") as started:
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
def storm(tmp_path_factory):
    """A second, small stack on which the journey was played while its parts were killed."""
    with running(tmp_path_factory.mktemp("storm") / "data") as started:
        storm = raised(started, tmp_path_factory.mktemp("stormy"))
        yield storm
        storm.world.http.close()
