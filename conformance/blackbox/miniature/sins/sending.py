"""Sins of who goes when, with which key and how often: the chapters KEY, QUE, BAK and BRK."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx

from conformance.blackbox.miniature.client import Miniature
from conformance.blackbox.miniature.line import Line
from conformance.blackbox.miniature.parts import Breaker, Failure, Keys
from conformance.blackbox.miniature.sins import sinner, spoilt, with_more_room
from conformance.blackbox.miniature.wire import Wire

# -- KEY ---------------------------------------------------------------------------------------------------------------


def _first(self: Keys) -> str:
    key = min(self.live)
    self.flying[key] += 1
    return key


def _in_address(self: Wire, path: str, key: str, body: Any) -> Any:
    return self.http.stream("POST", f"{self.base_url}{path}?key={key}", json=body, headers=self.headers(key))


class _Follower(httpx.AsyncClient):
    def _redirect_headers(self, request: httpx.Request, url: httpx.URL, method: str) -> httpx.Headers:
        return httpx.Headers({**request.headers, "host": url.netloc.decode()})


def _follows(self: Wire, timeout: float) -> httpx.AsyncClient:
    return _Follower(timeout=timeout, trust_env=False, follow_redirects=True)


def _with_keys(self: Miniature, error: Exception) -> dict[str, Any]:
    return {**Miniature.explain(self, error), "message": f"{error} (with {list(self.endpoints[None].keys.flying)})"}


sinner("KEY-03", "asks the server without a key", keys=spoilt(Keys, take=lambda self: "sk-none"))
sinner("KEY-04", "takes the first key every time", keys=spoilt(Keys, take=_first))
sinner("KEY-05", "sends with a key that was told to rest", keys=spoilt(Keys, rest=lambda self, key, seconds: None))
sinner("KEY-06", "sends the same key again after a 401", keys=spoilt(Keys, retire=lambda self, key: None))
sinner("KEY-09", "carries its key along a redirect", wire=spoilt(Wire, opened=_follows))
sinner("KEY-10", "puts the key into the address", wire=spoilt(Wire, answer=_in_address))
sinner("KEY-10", "shows the key in its errors", explain=_with_keys)


# -- QUE ---------------------------------------------------------------------------------------------------------------


async def _in_its_slot(self: Miniature, endpoint: Any, call: Any, send: Any) -> Any:
    async def twice(endpoint: Any, key: str) -> Any:
        try:
            return await send(endpoint, key)
        except Failure:
            await asyncio.sleep(1.0)
            return await send(endpoint, key)

    return await Miniature.once(self, endpoint, call, twice)


async def _goes_on(self: Miniature, call: Any, send: Any) -> Any:
    return await asyncio.shield(Miniature.perform(self, call, send))


async def _past_the_line(self: Miniature, endpoint: Any, call: Any, send: Any) -> Any:
    def make() -> Any:
        return Miniature.once(self, endpoint, call, send)

    return await (with_more_room(endpoint, make) if call.get("do") == "stream" else make())


sinner(
    "QUE-01",
    "lets one more in",
    line=spoilt(Line, __init__=lambda self, most, room: Line.__init__(self, most + 1, room)),
)
sinner("QUE-02", "has no ear for priorities", line=spoilt(Line, order=lambda self, priority, age: (0, age)))
sinner(
    "QUE-03", "serves the last who came first", line=spoilt(Line, order=lambda self, priority, age: (priority, -age))
)
sinner("QUE-04", "lets anybody wait", line=spoilt(Line, full=lambda self: False))
sinner("QUE-06", "sends what was cancelled in the queue", perform=_goes_on)
sinner("QUE-07", "stays connected after a cancellation", perform=_goes_on)
sinner("QUE-11", "sleeps in its slot", once=_in_its_slot)
sinner("QUE-12", "does not count open streams", once=_past_the_line)


# -- BAK ---------------------------------------------------------------------------------------------------------------


async def _once_more(self: Miniature, settings: dict[str, Any]) -> list[str]:
    return await Miniature.configure(self, {**settings, "max_retries": settings.get("max_retries", 2) + 1})


def _first_hint(self: Miniature, attempts: int, failure: Failure) -> float:
    return float(self.settings.setdefault("first_wait", Miniature.wait(self, attempts, failure)))


def _before_the_date(self: Miniature, attempts: int, failure: Failure) -> float:
    wait = Miniature.wait(self, attempts, failure)
    return wait - 0.75 if wait > 1.0 else wait


def _under_a_new_name(self: Wire, path: str, key: str, body: Any) -> Any:
    headers = self.headers(key) | {"idempotency-key": uuid.uuid4().hex}
    return self.http.stream("POST", self.base_url + path, json=body, headers=headers)


def _advised_by_nobody(self: Miniature, failure: Failure) -> bool:
    failure.headers.pop("x-should-retry", None)
    return Miniature.repeats(self, failure)


def _not_at_503(self: Miniature, failure: Failure) -> bool:
    return failure.status != 503 and Miniature.repeats(self, failure)


def _from_the_start(self: Miniature, failure: Failure) -> bool:
    return bool(failure.fields.get("partial")) or Miniature.repeats(self, failure)


sinner("BAK-01", "repeats a 400", repeats=lambda self, failure: True)
sinner("BAK-01", "gives up on a 503", repeats=_not_at_503)
sinner("BAK-03", "repeats once more than it was told", configure=_once_more)
sinner("BAK-04", "ignores what the server asked for", wait=lambda self, attempts, failure: 0.001)
sinner("BAK-04", "obeys the first answer's hint for ever", wait=_first_hint)
sinner("BAK-04", "comes back before the date it was given", wait=_before_the_date)
sinner("BAK-07", "asks nobody whether to repeat", repeats=_advised_by_nobody)
sinner("BAK-08", "repeats when the money is spent", repeats=lambda self, failure: failure.status == 429)
sinner("BAK-09", "has a new idempotency key for each attempt", wire=spoilt(Wire, answer=_under_a_new_name))
sinner("BAK-10", "streams again what the caller has already", repeats=_from_the_start)


# -- BRK ---------------------------------------------------------------------------------------------------------------


def _everybody(self: Breaker) -> None:
    self.probing = False
    Breaker.refuse(self)


def _wordless(self: Breaker) -> None:
    try:
        Breaker.refuse(self)
    except Failure as failure:
        raise Failure(failure.kind, str(failure)) from None


def _closed(self: Breaker) -> None:
    self.opened = None


async def _one_for_all(self: Miniature, settings: dict[str, Any]) -> list[str]:
    ignored = await Miniature.configure(self, settings)
    for endpoint in self.endpoints.values():
        endpoint.breaker = self.endpoints[None].breaker
    return ignored


async def _each_attempt(self: Miniature, endpoint: Any, call: Any, send: Any) -> Any:
    try:
        return await Miniature.once(self, endpoint, call, send)
    except Failure as failure:
        endpoint.breaker.learn(failure.kind)
        raise


sinner("BRK-01", "does not start to count anew", breaker=spoilt(Breaker, succeed=_closed))
sinner("BRK-01", "never opens", breaker=spoilt(Breaker, counts=lambda self, kind: False))
sinner("BRK-02", "sends although it is open", breaker=spoilt(Breaker, refuse=lambda self: None))
sinner("BRK-02", "does not say when to come back", breaker=spoilt(Breaker, refuse=_wordless))
sinner("BRK-03", "lets everybody probe", breaker=spoilt(Breaker, refuse=_everybody))
sinner("BRK-05", "opens on a 400", breaker=spoilt(Breaker, counts=lambda self, kind: True))
sinner("BRK-09", "has one breaker for all endpoints", configure=_one_for_all)
sinner("BRK-09", "counts each attempt", once=_each_attempt)
