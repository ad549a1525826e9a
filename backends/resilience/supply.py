"""The keys of an endpoint that come from outside: fetched when they are due, by one caller, and put into its pool.

When that is, the machine decides (:mod:`backends.resilience.freshness`); what a source is and how it speaks, is
:mod:`backends.key_sources`'. No request of a provider is sent here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from backends import errors
from backends.discretion import bare
from backends.resilience.freshness import Freshness
from backends.resilience.keys import KeyPool
from backends.resilience.waiter import Waiter
from backends.secret import Key

if TYPE_CHECKING:
    from backends.resilience.endpoint import Endpoint

__all__ = ["Issued", "KeySource", "Supply"]


@dataclass(frozen=True, slots=True)
class Issued:
    """What a source gave.

    Attributes:
        keys: one or more.
        good_for: seconds until they end; None when nobody said, and they are good until others are fetched.
        again_after: seconds until the source should be asked again; None is shortly before they end.
    """

    keys: tuple[Key, ...]
    good_for: float | None = None
    again_after: float | None = None


class KeySource(Protocol):
    """Where keys come from."""

    async def fetch(self) -> Issued:
        """Return the keys of now.

        Raises:
            BackendError: there are none; the message names the source and holds no key.
        """
        ...


class Supply:
    """See the module docstring. Safe from every thread and event loop.

    Args:
        source: where the keys come from.
    """

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self._freshness = Freshness()
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    def renewed(self) -> Supply:
        """Return a supply of the same source that has fetched nothing yet (after a fork)."""
        return Supply(self.source)

    async def ready(self, endpoint: Endpoint, random: Callable[[], float]) -> None:
        """Return when the endpoint has keys that are good, fetching them if need be.

        Raises:
            BackendError: the source has none, or failed too often.
        """
        tries = 0
        while True:
            waiter = Waiter()
            now = endpoint.clock.monotonic()
            with self._lock:
                standing = self._freshness.standing(now)
                if standing.do == "wait" and standing.until is None:
                    waiter.loop = asyncio.get_running_loop()
                    waiter.future = waiter.loop.create_future()
                    self._waiters.append(waiter)
            if standing.do == "go":
                return
            if standing.do == "fetch":
                if await self._fetch(endpoint, tries, random):
                    return
                tries += 1
            elif waiter.future is not None:
                await waiter.future
            else:
                assert standing.until is not None
                await endpoint.clock.sleep(standing.until - now)

    async def _fetch(self, endpoint: Endpoint, tries: int, random: Callable[[], float]) -> bool:
        """Fetch once; return whether the endpoint has good keys now.

        Raises:
            BackendError: there are none, and another try would not help or would be one too many.
        """
        try:
            issued = await self.source.fetch()
            endpoint.change_keys(lambda pool: self._exchange(pool, issued, endpoint.clock.monotonic()))
        except errors.BackendError as error:
            with self._lock:
                good = self._freshness.failed(endpoint.clock.monotonic(), endpoint.backoff.delay(tries, random))
            if not good and (not _may_pass(error) or tries >= endpoint.settings.max_retries):
                raise bare(error) from error.__cause__  # what the source was told and answered is in its frames
            return good
        except BaseException:
            with self._lock:
                self._freshness.given_up()
            raise
        finally:
            self._wake()
        return True

    def _exchange(self, pool: KeyPool, issued: Issued, now: float) -> None:
        """Put the keys that came in place of those that were there; calls in flight finish on theirs."""
        coming = {key.fingerprint for key in issued.keys}
        held = pool.keys()
        there = {key.fingerprint for key in held}
        for fingerprint in there - coming:
            pool.remove(fingerprint)
        for key in issued.keys:
            if key.fingerprint not in there:
                pool.add(key)
        with self._lock:
            self._freshness.came(now, issued.good_for, issued.again_after)

    def _wake(self) -> None:
        with self._lock:
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.tell()

    def refused(self, now: float) -> bool:
        """Take note that a provider refused a key; return whether others will be fetched for that."""
        with self._lock:
            return self._freshness.refused(now)

    def status(self) -> dict[str, Any]:
        """Return how often keys came, and how often the source failed since."""
        with self._lock:
            return {"fetched": self._freshness.fetched, "failures": self._freshness.failures}


def _may_pass(error: errors.BackendError) -> bool:
    return isinstance(error, errors.TransportError | errors.ServerError | errors.RateLimitError)
