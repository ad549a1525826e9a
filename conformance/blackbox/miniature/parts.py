"""The parts of the small client that hold state: with which key a call goes, and whether at all. They know no bytes."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

__all__ = ["OUTAGE", "PASSING", "Breaker", "Failure", "Keys", "asked_wait", "now", "refusal"]

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
    """Return how long an answer asks to wait, however long that is; 0 when it says nothing sensible."""
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
        if 0 < seconds < math.inf:
            return seconds
    return 0.0


class Keys:
    """Which key goes next: those that were refused never, those told to rest later.

    Attributes:
        weights: for the strategy ``weighted``. heeds: a key rests that has nothing left by its provider's headers.
    """

    def __init__(self, keys: list[str], strategy: str) -> None:
        self.live = list(keys)
        self.flying = Counter(dict.fromkeys(keys, 0))
        self.resting = dict.fromkeys(keys, 0.0)
        self.strategy = strategy
        self.weights: dict[str, float] = dict.fromkeys(keys, 1.0)
        self.heeds = False
        self._credit = dict.fromkeys(keys, 0.0)
        self._share = dict.fromkeys(keys, 1.0)
        self._spent = dict.fromkeys(keys, 0.0)

    async def ready(self) -> None:
        """Wait until a key has something left."""
        if self.live:
            await asyncio.sleep(min(self._spent[key] for key in self.live) - now())

    def take(self) -> str:
        """Return a key and count it as in flight."""
        if not self.flying:
            raise Failure("configuration", "there is no key: set OPENAI_API_KEY")
        if not self.live:
            raise Failure("authentication", "every key was refused")
        able = [key for key in self.live if self._spent[key] <= now()] or self.live
        key = self.choose([key for key in able if self.resting[key] <= now()] or able)
        self.live.remove(key)
        self.live.append(key)
        self.flying[key] += 1
        return key

    def choose(self, keys: list[str]) -> str:
        """Return the one that is next among those that may go; they come in the order in which they were last used."""
        if self.strategy == "least_loaded":
            return min(keys, key=lambda key: self.flying[key])
        if self.strategy == "most_headroom":
            return max(keys, key=lambda key: self._share[key])
        if self.strategy == "weighted":
            return self.weighted(keys)
        return keys[0]

    def weighted(self, keys: list[str]) -> str:
        """Return the key that has waited longest for its share: nginx's smooth weighted round robin."""
        for key in keys:
            self._credit[key] += self.weights[key]
        chosen = max(keys, key=lambda key: self._credit[key])
        self._credit[chosen] -= sum(self.weights[key] for key in keys)
        return chosen

    def heard(self, key: str, headers: httpx.Headers) -> None:
        """Take note of what an answer says is left of the key's rate."""
        told = [headers.get(f"x-ratelimit-{word}-requests", "") for word in ("remaining", "limit", "reset")]
        if key not in self._share or not all(re.fullmatch(r"\d{1,12}", text) for text in told[:2]) or int(told[1]) == 0:
            return
        self._share[key] = int(told[0]) / int(told[1])
        if self.heeds and self._share[key] == 0:
            self._spent[key] = now() + _seconds(told[2])

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


def _seconds(text: str) -> float:
    """Return a duration as OpenAI writes it (``80ms``, ``6m0s``), 0 for anything else."""
    found = re.fullmatch(r"(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s))?", text)
    if found is None:
        return 0.0
    minutes, number, unit = found.groups()
    return 60.0 * float(minutes or 0) + float(number or 0) * (0.001 if unit == "ms" else 1.0)


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
