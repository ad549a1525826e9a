"""The parts of the small client that hold state: who may go, with which key, and whether at all. They know no bytes."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

__all__ = ["OUTAGE", "PASSING", "Breaker", "Failure", "Keys", "Line", "asked_wait", "now", "refusal"]

OUTAGE: Final = frozenset({"server", "transport", "interrupted"})
"""Classes that tell of a provider that is down."""
PASSING: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_BY_STATUS: Final = {
    401: "authentication",
    402: "authentication",
    403: "permission",
    404: "not_found",
    408: "server",
    409: "server",
    429: "rate_limit",
}


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


class Failure(Exception):  # noqa: N818 - the word of the protocol's errors
    """A call that failed; ``fields`` are those of the protocol, ``headers`` of the answer."""

    def __init__(self, kind: str, message: str, headers: httpx.Headers | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields: dict[str, Any] = fields
        self.headers = headers or httpx.Headers()

    @property
    def status(self) -> int | None:
        """The answer's status, None when there was none."""
        return self.fields.get("status")


def refusal(response: httpx.Response, body: bytes, key: str) -> Failure:
    """Return what an answer other than 200 means."""
    status = response.status_code
    kind = _BY_STATUS.get(status, "server" if status >= 500 else "invalid_request")
    try:
        error = httpx.Response(200, content=body).json()["error"]
        message, code = str(error["message"]), error.get("code")
    except (ValueError, KeyError, TypeError, RecursionError):
        message, code = f"answer {status} without a message", None
    if code == "insufficient_quota":
        kind = "quota"
    if code == "model_not_found":
        kind = "unknown_model"
    told = code.replace(key, "****") if isinstance(code, str) else None
    return Failure(kind, message.replace(key, "****"), response.headers, status=status, code=told)


def asked_wait(headers: httpx.Headers) -> float:
    """Return how long an answer asks to wait, 0 when it says nothing sensible."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0), ("x-ratelimit-reset-requests", 1.0)):
        text = headers.get(name, "").removesuffix("s")
        if text.endswith("m"):
            text, unit = text[:-1], 0.001
        try:
            seconds = float(text) * unit
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            except (ValueError, TypeError):
                continue
        if 0 < seconds < 3600:
            return seconds
    return 0.0


class Line:
    """So many at once, the others wait by priority and then by age, so many of them and no more."""

    def __init__(self, limit: int, room: int) -> None:
        self.limit = limit
        self.room = room
        self.active = 0
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._came = 0

    @asynccontextmanager
    async def place(self, priority: int) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self._enter(priority)
        try:
            yield
        finally:
            self.active -= 1
            self._admit()

    def order(self, priority: int, age: int) -> tuple[int, int]:
        """Return what the waiting are sorted by."""
        return priority, age

    def full(self) -> bool:
        """Say whether nobody else may wait."""
        return len([1 for *_, turn in self.waiting if not turn.done()]) >= self.room

    async def _enter(self, priority: int) -> None:
        if self.active < self.limit:
            self.active += 1
            return
        if self.full():
            raise Failure("queue_full", f"{self.room} calls wait already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self.waiting, (*self.order(priority, self._came), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.active -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self.waiting and self.active < self.limit:
            turn = heapq.heappop(self.waiting)[2]
            if not turn.done():
                self.active += 1
                turn.set_result(None)


class Keys:
    """Which key goes next: those that were refused never, those told to rest later."""

    def __init__(self, keys: list[str], strategy: str) -> None:
        self.live = list(keys)
        self.flying = Counter(dict.fromkeys(keys, 0))
        self.resting = dict.fromkeys(keys, 0.0)
        self.strategy = strategy

    def take(self) -> str:
        """Return a key and count it as in flight."""
        if not self.flying:
            raise Failure("configuration", "there is no key: set OPENAI_API_KEY")
        if not self.live:
            raise Failure("authentication", "every key was refused")
        awake = [key for key in self.live if self.resting[key] <= now()] or self.live
        if self.strategy == "least_loaded":
            awake.sort(key=lambda key: self.flying[key])
        key = awake[0]
        self.live.remove(key)
        self.live.append(key)
        self.flying[key] += 1
        return key

    def learn(self, key: str, failure: Failure) -> bool:
        """Take note of a failure; say whether another key is worth trying at once."""
        if failure.kind in ("authentication", "permission") and key in self.live:
            self.retire(key)
            return key not in self.live and bool(self.live)
        if failure.status == 429 and failure.kind != "quota":
            self.rest(key, asked_wait(failure.headers))
            return any(self.resting[other] <= now() for other in self.live)
        return False

    def retire(self, key: str) -> None:
        """Never use a key again, unless it is the only one there is."""
        if len(self.flying) > 1:
            self.live.remove(key)

    def rest(self, key: str, seconds: float) -> None:
        """Use a key only after a while."""
        self.resting[key] = now() + (seconds or 0.05)


class Breaker:
    """Opens after so many failed requests in a row, lets one through after a while."""

    def __init__(self, threshold: int, timeout: float) -> None:
        self.threshold = threshold
        self.timeout = timeout
        self.failures = 0
        self.opened: float | None = None
        self.probing = False

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Refuse a request, or learn from how it ends."""
        self.refuse()
        probe = self.probing = self.opened is not None
        try:
            yield
        except Failure as failure:
            self.learn(failure.kind)
            raise
        else:
            self.succeed()
        finally:
            if probe:
                self.probing = False

    def refuse(self) -> None:
        """Raise unless a request may go."""
        if self.opened is not None and (self.probing or now() < self.opened + self.timeout):
            left = max(self.opened + self.timeout - now(), 0.01)
            raise Failure("unavailable", "the provider is down", retry_after=left)

    def learn(self, kind: str) -> None:
        """Count a failed request."""
        if self.counts(kind):
            self.failures += 1
        if self.failures >= self.threshold:
            self.opened = now()

    def succeed(self) -> None:
        """Close, and count from the beginning."""
        self.failures, self.opened = 0, None

    def counts(self, kind: str) -> bool:
        """Say whether a failure is the provider's outage."""
        return kind in OUTAGE
