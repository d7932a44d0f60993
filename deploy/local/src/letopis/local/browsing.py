"""Pytest fixtures for tests in a real Chromium; where there is none these tests are deselected, and told so."""

import os
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Any

import pytest

MARK = "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing but what is tested: no GPU, no QUIC, no talk with anybody outside.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_deselected: list[str] = []


def chromium_path() -> str | None:
    """The browser of this machine, that of LETOPIS_CHROMIUM first; None where browser tests cannot run."""
    if find_spec("playwright") is None:
        return None
    named = os.environ.get("LETOPIS_CHROMIUM", "")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}: needs a Chromium (LETOPIS_CHROMIUM, or on PATH) and playwright")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser its tests are not among those that run."""
    if chromium_path() is not None:
        return
    gone = [item for item in items if item.get_closest_marker(MARK)]
    if gone:
        _deselected.extend(item.nodeid for item in gone)
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was left out, so that nobody takes it for tested."""
    if _deselected:
        terminalreporter.section("no browser")
        terminalreporter.line(
            f"{len(_deselected)} browser tests were NOT run: there is no Chromium with playwright here"
        )


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Any]:
    """A running browser (playwright's async `Browser`); tests open contexts of their own in it."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        await browser.close()
