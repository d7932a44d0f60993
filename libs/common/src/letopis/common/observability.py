"""What a process says about itself: JSON lines whose fields are allowed one by one, and metrics of its own registry."""

import json
import logging
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Nothing else of a record is ever written. Personal data has no field here, and none may be added for it.
FIELDS = frozenset(
    {
        "action",
        "attempt",
        "authorization_id",
        "causation_id",
        "code",
        "correlation_id",
        "count",
        "durable",
        "event_id",
        "host",
        "job",
        "lag",
        "ledger",
        "login",
        "method",
        "milliseconds",
        "part",
        "port",
        "position",
        "reaction",
        "revision",
        "route",
        "rule",
        "seconds",
        "state",
        "status",
        "stream",
        "type",
        "version",
        "view",
    }
)
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class JsonLines(logging.Formatter):
    """One JSON object a line.

    The message is the literal template, never the text with values put in: values travel as allowed fields only,
    so what another library interpolates into its messages does not reach the log either.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": str(record.msg),
        }
        line |= {name: value for name, value in record.__dict__.items() if name in FIELDS and _simple(value)}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"], line["frames"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def told(error: BaseException) -> tuple[str, list[str]]:
    """The kinds of an error and its causes, and where it happened; its message may hold data and stays out."""
    kinds: list[str] = []
    frames: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 10:
        kinds.append(type(cause).__name__)
        frames += [
            f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)[-12:]
        ]
        cause = cause.__cause__ or cause.__context__
    return " <- ".join(kinds), frames


def configure(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every logger of the process through the allow-list; called once, by the process that starts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "nats.aio.client"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel("WARNING")


class Metrics:
    """The metrics of one service; asking again for a name gives the same one."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.service = service
        self._made: dict[str, Any] = {}

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        made: Counter = self._one(Counter, name, help, labels)
        return made

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        made: Gauge = self._one(Gauge, name, help, labels)
        return made

    def histogram(self, name: str, help: str, labels: Sequence[str] = ()) -> Histogram:
        """Seconds, from one millisecond to thirty seconds."""
        made: Histogram = self._one(Histogram, name, help, labels, buckets=_BUCKETS)
        return made

    def text(self) -> bytes:
        """The Prometheus exposition format."""
        return generate_latest(self.registry)

    def _one(self, kind: Any, name: str, help: str, labels: Sequence[str], **options: Any) -> Any:
        if name not in self._made:
            self._made[name] = kind(name, help, labels, namespace="letopis", registry=self.registry, **options)
        return self._made[name]


def _simple(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
