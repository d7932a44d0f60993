"""Logs hold allowed fields and literal templates only."""

import io
import json
import logging

import pytest

from letopis.common.observability import JsonLines, Metrics, configure


@pytest.fixture
def lines() -> io.StringIO:
    """The root logger writes here; put back as it was afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure("demo", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


class TestJsonLines:
    def test_writes_allowed_fields_only(self, lines: io.StringIO) -> None:
        logging.getLogger("letopis.x").info("done", extra={"route": "/a", "iban": "DE89370400440532013000"})
        line = json.loads(lines.getvalue())
        assert line["message"] == "done"
        assert line["service"] == "demo"
        assert line["route"] == "/a"
        assert "DE89370400440532013000" not in lines.getvalue()

    def test_never_puts_values_into_messages(self, lines: io.StringIO) -> None:
        logging.getLogger("some.library").warning("cannot insert %s", "4111111111111111")
        assert json.loads(lines.getvalue())["message"] == "cannot insert %s"

    def test_names_the_kinds_of_an_error_and_the_places(self, lines: io.StringIO) -> None:
        try:
            try:
                int("4111111111111111x")
            except ValueError as error:
                raise LookupError("DE89370400440532013000") from error
        except LookupError:
            logging.getLogger("letopis.x").exception("failed")
        line = json.loads(lines.getvalue())
        assert line["error"] == "LookupError <- ValueError"
        assert any("test_observability.py" in frame for frame in line["frames"])
        assert "4111" not in lines.getvalue()
        assert "DE89" not in lines.getvalue()

    def test_a_field_that_is_no_plain_value_stays_out(self) -> None:
        record = logging.LogRecord("x", logging.INFO, "", 0, "m", None, None)
        record.state = {"card": "4111111111111111"}
        assert "4111" not in JsonLines("demo").format(record)


class TestMetrics:
    def test_asking_again_gives_the_same(self) -> None:
        metrics = Metrics("demo")
        metrics.counter("things", "Things").inc()
        metrics.counter("things", "Things").inc()
        assert b"letopis_things_total 2.0" in metrics.text()

    def test_two_services_count_apart(self) -> None:
        one, other = Metrics("one"), Metrics("other")
        one.gauge("depth", "Depth", ("view",)).labels("a").set(3)
        assert b"depth" not in other.text()
