"""The `eventsourcing` library's PostgreSQL recorder as its users run it: threads with a connection each."""

from threading import Thread
from time import perf_counter
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from e2e.bench import facts
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

NAME = "eventsourcing 9.5, its PostgreSQL recorder"


class Recorder:
    """Appends the same bytes as the first event of an aggregate each, or many of one aggregate in one call."""

    def __init__(self, url: str, writers: int) -> None:
        parts = urlsplit(url)
        self._datastore = PostgresDatastore(
            parts.path[1:],
            parts.hostname or "",
            parts.port or 5432,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            pool_size=writers,
        )
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
