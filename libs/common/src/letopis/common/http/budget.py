"""How many requests a caller may send: a bucket a login, filled at a steady rate, emptied by one token a request.

It stands in the process: behind several replicas a caller has as many budgets, which a bank counts in when it sets one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from letopis.common.errors import LetopisError

# A login that sent nothing for as long as a full bucket takes to fill is forgotten; here is when we look.
SWEEP_AT = 4096


class OverBudget(LetopisError):
    """The caller sends more than its budget; nothing was done."""

    status = 429
    code = "budget.exceeded"
    title = "You send more requests than your budget allows"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True, kw_only=True)
class Budgets:
    """`rate` requests a second for each login, `burst` at once; a rate of 0 counts nothing."""

    rate: float = 0
    burst: int = 1
    clock: Callable[[], float] = monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, login: str) -> None:
        """One request of the login, or OverBudget with the seconds until the next would be taken."""
        if not self.rate:
            return
        now = self.clock()
        bucket = self._buckets.get(login)
        if bucket is None:
            self._sweep(now)
            bucket = self._buckets[login] = _Bucket(float(self.burst), now)
        # A clock set back gives nothing and takes nothing.
        bucket.tokens = min(float(self.burst), bucket.tokens + max(0.0, now - bucket.at) * self.rate)
        bucket.at = now
        if bucket.tokens < 1:
            wait = max(1, ceil((1 - bucket.tokens) / self.rate))
            raise OverBudget(
                f"{login} may send {self.rate:g} requests a second and {self.burst} at once; wait {wait} s",
                retry_after=wait,
            )
        bucket.tokens -= 1

    def _sweep(self, now: float) -> None:
        if len(self._buckets) >= SWEEP_AT:
            full = self.burst / self.rate
            self._buckets = {login: one for login, one in self._buckets.items() if now - one.at < full}
