"""dramatiq's broker on Valkey, mended where a job would be lost: what is enqueued stays until it is done or dead."""

import logging
import time
from random import random
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import MAINTENANCE_SCALE, RedisBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware, TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

from letopis.common.errors import Conflict, Refused, Unavailable

NAMESPACE = "letopis"
# redis-py gives up after 5 s by itself, sooner than a worker that waits for messages.
SOCKET_TIMEOUT = 30
# Milliseconds without a sign of life, after which a worker's messages go to others.
DEAD_AFTER = 15_000
# Dead workers are looked for in one of ten commands; by default it is one of a thousand, a quarter of an hour here.
LOOKED_FOR = MAINTENANCE_SCALE // 10
# Milliseconds that a dead letter is kept.
DEAD_LETTERS_KEPT = 90 * 86_400_000
# Milliseconds before the first repetition, and at most before any other.
FIRST_PAUSE, LONGEST_PAUSE = 500, 300_000
# Seconds between attempts to hand a failed job back.
PATIENCE = 1.0
AWAY = (dramatiq.BrokerConnectionError, redis.RedisError)
_log = logging.getLogger(__name__)


class Broker(RedisBroker):  # type: ignore[misc]  # dramatiq's types are not followed
    """A consumer that lost its connection gets back what it had fetched and forgot, not only when its process ends."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Any:
        """Called for each beginning of a consumer: what this process still holds of the queue is enqueued again.

        A job that runs meanwhile may so run twice, which is harmless.
        """
        try:
            held = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}")
            if held:
                self.do_requeue(queue_name, *held)
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None
        return super().consume(queue_name, prefetch, timeout)


class Repetition(Middleware):  # type: ignore[misc]  # as above
    """A failed job comes again, later and later; after its last repetition it is a dead letter.

    Unavailable uses up no repetition, a refusal gets none. dramatiq's own middleware would store the text of the
    error, which may hold data, and would lose the job if Valkey is away at that moment.
    """

    @property
    def actor_options(self) -> set[str]:
        return {"repetitions"}

    def after_process_message(
        self,
        broker: Any,
        message: Any,
        *,
        result: Any = None,  # noqa: ARG002 dramatiq names it
        exception: BaseException | None = None,
    ) -> None:
        """Hand it back; whatever this does not hand back is done when it returns, so it MUST wait for Valkey."""
        if exception is None:
            return
        failed = int(message.options.get("failed", 0))
        told = {"job": message.actor_name, "attempt": failed + 1}
        if _final(exception) or (
            not isinstance(exception, Unavailable)
            and failed >= broker.get_actor(message.actor_name).options["repetitions"]
        ):
            _log.error("a job is dead", extra=told)
            message.fail()
            return
        pause = min(FIRST_PAUSE * 2 ** min(failed, 20), LONGEST_PAUSE) * (0.5 + random() / 2)  # noqa: S311 no secret
        _log.warning("a job failed and comes again", extra=told | {"seconds": pause / 1000})
        again = message.copy(options={"failed": failed + 1})
        while True:
            try:
                broker.enqueue(again, delay=int(pause))
            except AWAY:
                time.sleep(PATIENCE)
            else:
                return


def make_broker(url: str) -> Broker:
    """The broker on Valkey; nothing connects before the first message. It is nobody's global broker."""
    # The broker drops these settings if it makes its own client from a URL. A client that asks again by itself would
    # lose what the first answer brought.
    client = redis.Redis.from_url(
        url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
    )
    return Broker(
        client=client,
        middleware=[TimeLimit(), Repetition()],
        namespace=NAMESPACE,
        heartbeat_timeout=DEAD_AFTER,
        maintenance_chance=LOOKED_FOR,
        dead_message_ttl=DEAD_LETTERS_KEPT,
    )


def _final(error: BaseException) -> bool:
    return isinstance(error, Refused) and not isinstance(error, Conflict)
