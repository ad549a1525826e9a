"""Saboteurs of chapter BAK: retries too many, too few, too early, or of the wrong thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backends.resilience.backoff import Backoff
from backends.resilience.endpoint import Endpoint
from backends.resilience.failures import AttemptFailed, Blame
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.common import patched_endpoint


def judging(backend: Any, change: Callable[[AttemptFailed], None]) -> None:
    """Let ``change`` alter what every failed attempt is taken for."""
    for name in ("_attempt", "_open"):
        whole = getattr(backend, name, None)
        if whole is None:
            continue

        async def spoilt(*arguments: Any, _whole: Any = whole) -> Any:
            try:
                return await _whole(*arguments)
            except AttemptFailed as failure:
                change(failure)
                raise

        setattr(backend, name, spoilt)


def _with_backoff(backend: Any, kind: type[Backoff]) -> None:
    def change(endpoint: Endpoint) -> None:
        old = endpoint.backoff
        endpoint.backoff = kind(old.initial, old.factor, old.maximum, old.jitter)

    patched_endpoint(backend, change)


@saboteur("BAK-01", "repeats every error, 400s included")
def repeats_everything(backend: Any) -> None:
    """The sketch of the original plan."""

    def change(failure: AttemptFailed) -> None:
        if failure.blame in (Blame.REQUEST, Blame.KEY_REFUSED):
            failure.blame, failure.repeatable = Blame.CONTENTION, True

    judging(backend, change)


@saboteur("BAK-01", "repeats nothing but 429")
def repeats_too_little(backend: Any) -> None:
    """A reset connection is the caller's problem."""

    def change(failure: AttemptFailed) -> None:
        if failure.blame is Blame.OUTAGE:
            failure.repeatable = False

    judging(backend, change)


@saboteur("BAK-02", "waits the same time before each retry")
def constant_delay(backend: Any) -> None:
    """The factor is read and not used."""

    class Constant(Backoff):
        def delay(self, retry: int, random: Callable[[], float]) -> float:
            return super().delay(0, random)

    _with_backoff(backend, Constant)


@saboteur("BAK-02", "applies the cap after the jitter")
def jitter_under_the_cap(backend: Any) -> None:
    """Every late wait is exactly the cap, so all clients wake together (stamina, tenacity)."""

    class Capped(Backoff):
        def delay(self, retry: int, random: Callable[[], float]) -> float:
            nominal = self.initial * self.factor ** min(retry, 1000)
            return min(nominal * (1 + self.jitter * (2 * random() - 1)), self.maximum)

    _with_backoff(backend, Capped)


@saboteur("BAK-03", "has a second retry loop inside the first")
def two_owners_of_retries(backend: Any) -> None:
    """(1 + N) squared requests."""
    send = backend._send

    async def again(*arguments: Any) -> Any:
        try:
            return await send(*arguments)
        except AttemptFailed as failure:
            if not failure.repeatable:
                raise
            return await send(*arguments)

    backend._send = again


@saboteur("BAK-03", "hides how often it tried", subjects=EVERY_ROW)
def forgets_attempts(backend: Any) -> None:
    """The error says zero attempts."""
    complete = backend._completed

    def spoilt(error: Any, call: Any) -> Any:
        complete(error, call)
        error.attempts = 0
        return error

    backend._completed = spoilt


@saboteur("BAK-04", "ignores what the server asks for")
def deaf_to_hints(backend: Any) -> None:
    """Backs off by its own schedule only."""

    def change(failure: AttemptFailed) -> None:
        failure.hint = None

    judging(backend, change)


@saboteur("BAK-04", "keeps to the first hint it was given")
def first_hint_wins(backend: Any) -> None:
    """Sleeps 9 s of a requested 107 s (litellm#20722)."""
    first: list[float] = []

    def change(failure: AttemptFailed) -> None:
        if failure.hint is not None:
            first.append(failure.hint)
            failure.hint = first[0]

    judging(backend, change)


@saboteur("BAK-05", "waits as long as it is told, whatever that is")
def boundless_obedience(backend: Any) -> None:
    """A hint of thirty years is obeyed."""

    def change(endpoint: Endpoint) -> None:
        object.__setattr__(endpoint, "settings", _Patient(endpoint.settings))

    patched_endpoint(backend, change)


@dataclass
class _Patient:
    settings: Any
    max_retry_after: float = 1e12

    def __getattr__(self, name: str) -> Any:
        return getattr(self.settings, name)


@saboteur("BAK-05", "sleeps into the deadline")
def sleeps_into_the_deadline(backend: Any) -> None:
    """The wait is begun although it cannot end in time."""
    make = backend._call

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        if call.deadline_at is not None:
            call.deadline_at += 1000.0
        return call

    backend._call = spoilt


@saboteur("BAK-06", "applies the deadline to each attempt by itself")
def deadline_per_attempt(backend: Any) -> None:
    """Waiting and retries are free."""
    make = backend._call

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        call.deadline_at = None
        return call

    backend._call = spoilt


@saboteur("BAK-07", "ignores x-should-retry")
def deaf_to_orders(backend: Any) -> None:
    """Only the status counts."""

    def change(failure: AttemptFailed) -> None:
        status = failure.error.status or 0
        failure.repeatable = status >= 500 or failure.repeatable
        if failure.blame is Blame.CONTENTION and status == 400:
            failure.blame = Blame.REQUEST

    judging(backend, change)


@saboteur("BAK-08", "retries spent quota like any 429")
def hopes_for_money(backend: Any) -> None:
    """As the official SDK does."""

    def change(failure: AttemptFailed) -> None:
        if failure.error.status == 429:
            failure.blame = Blame.KEY_BUSY

    judging(backend, change)


@saboteur("BAK-09", "writes the body anew for each attempt")
def changes_the_retry(backend: Any) -> None:
    """The retry carries another field."""
    send = backend._send

    async def spoilt(work: Any, call: Any, key: Any) -> Any:
        if call.attempts > 1 and isinstance(work.body, bytes):
            work.body = work.body.rstrip(b"}") + b' ,"user":"again"}' if work.body.endswith(b"}") else work.body
        return await send(work, call, key)

    backend._send = spoilt


@saboteur("BAK-10", "repeats a stream that died after content")
def repeats_after_content(backend: Any) -> None:
    """The caller gets the beginning twice."""
    flow = backend._flow

    async def spoilt(call: Any, work: Any, state: Any) -> Any:
        from backends import errors

        try:
            async for chunk in flow(call, work, state):
                yield chunk
        except errors.StreamInterruptedError:
            async for chunk in flow(call, work, state):
                yield chunk

    backend._flow = spoilt


@saboteur("BAK-10", "gives up on a stream that never began")
def gives_up_before_content(backend: Any) -> None:
    """An empty stream is final."""
    open_stream = backend._open

    async def spoilt(*arguments: Any) -> Any:
        try:
            return await open_stream(*arguments)
        except AttemptFailed as failure:
            failure.repeatable = False
            raise

    backend._open = spoilt


@saboteur("BAK-11", "has no budget for retries")
def no_retry_budget(backend: Any) -> None:
    """Every caller multiplies the traffic of a dead provider by six."""

    def change(endpoint: Endpoint) -> None:
        endpoint.budget = None

    patched_endpoint(backend, change)
