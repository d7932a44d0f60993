"""The `eventsourcing` library's PostgreSQL recorder as its users run it: threads with a connection each.

And its way of keeping a read model: notifications a page at a time, a transaction an event that also tracks it.
"""

from threading import Thread
from time import perf_counter
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from e2e.bench import facts
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresTrackingRecorder

from letopis.common.envelope import NewFact, time_text
from letopis.inference.contract import DECISIONS

PAGE = 1000
TABLE = """CREATE TABLE IF NOT EXISTS decision_peer (decision_id uuid PRIMARY KEY, position bigint, application text,
  api_version text, version_id text, entity_id text, score float8, decision text, decided_at text, as_of text,
  job_id text)"""
INSERT = f"INSERT INTO decision_peer VALUES ({', '.join(['%s'] * 11)})"
NAME = "eventsourcing 9.5, its PostgreSQL recorder"


class Recorder:
    """Appends the same bytes as the first event of an aggregate each, or many of one aggregate in one call."""

    def __init__(self, url: str, writers: int) -> None:
        self._datastore = _datastore(url, writers)
        self._recorder = PostgresApplicationRecorder(self._datastore)
        self._recorder.create_table()
        self._writers = writers
        self._again(perf_counter(), [0] * writers, 0)

    def appended(self, seconds: float) -> int:
        """How many events all writers together appended in the time."""
        counts, until = [0] * self._writers, perf_counter() + seconds
        threads = [Thread(target=self._again, args=(until, counts, place)) for place in range(self._writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts)

    def append_many(self, told: list) -> None:
        """All in one call and one commit."""
        aggregate = uuid4()
        self._recorder.insert_events(
            [StoredEvent(aggregate, place, fact.type, fact.data + fact.meta) for place, fact in enumerate(told, 1)]
        )

    def close(self) -> None:
        self._datastore.close()

    def _again(self, until: float, counts: list[int], place: int) -> None:
        while True:
            fact = facts.promotion()
            self._recorder.insert_events([StoredEvent(uuid4(), 1, fact.type, fact.data + fact.meta)])
            counts[place] += 1
            if perf_counter() >= until:
                return


class _View(PostgresTrackingRecorder):
    """A read model as the library's documentation makes it: a method an event, which commits row and tracking."""

    def keep(self, values: tuple[object, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(INSERT, values)
            self._insert_tracking(cursor, tracking)


class Projection:
    """A table of decisions kept as the library's `Projection` does."""

    def __init__(self, url: str, told: list[NewFact]) -> None:
        """The events are recorded first; a page of them, as often as `folded` may need."""
        self._datastore = _datastore(url, 2)
        self._events = PostgresApplicationRecorder(self._datastore)
        self._events.create_table()
        self._view = _View(self._datastore)
        self._view.create_table()
        with self._datastore.transaction(commit=True) as cursor:
            cursor.execute(TABLE)
        self._start = self._events.max_notification_id() or 0
        for _ in range(10):
            aggregate = uuid4()
            self._events.insert_events(
                [StoredEvent(aggregate, place, fact.type, fact.data) for place, fact in enumerate(told, 1)]
            )
        self._schema_version = told[0].schema_version

    def folded(self, seconds: float) -> float:
        """Events a second."""
        count, begin, after = 0, perf_counter(), self._start
        while perf_counter() - begin < seconds:
            page = self._events.select_notifications(after, PAGE, inclusive_of_start=False)
            for told in page:
                fact = DECISIONS.decode(told.topic, self._schema_version, told.state)
                values = (
                    uuid4(),
                    told.id,
                    fact.application,
                    fact.api_version,
                    fact.version_id,
                    fact.entity_id,
                    fact.score,
                    fact.decision,
                    time_text(fact.decided_at),
                    fact.as_of and time_text(fact.as_of),
                    fact.job_id,
                )
                self._view.keep(values, Tracking("bench", told.id))
                count += 1
                if perf_counter() - begin >= seconds:
                    break
            if not page:
                break
            after = page[-1].id
        return count / (perf_counter() - begin)

    def close(self) -> None:
        self._datastore.close()


def _datastore(url: str, connections: int) -> PostgresDatastore:
    parts = urlsplit(url)
    return PostgresDatastore(
        parts.path[1:],
        parts.hostname or "",
        parts.port or 5432,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        pool_size=connections,
    )
