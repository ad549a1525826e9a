"""The whole path of a call on the bench: a real backend over a server in memory, one step at a time.

Steps are what callers, an operator, the provider and the clock may do, in any order. After each of them everything that can
happen has happened, and :mod:`conformance.machines.walk.invariants` says what must hold then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from backends import errors
from backends.secret import Key
from backends.telemetry.events import CallEnded, CallStarted, Event
from conformance import subject as subjects
from conformance.machines.bench import Bench
from conformance.machines.walk import invariants
from conformance.machines.walk.loop import PuppetClock, PuppetLoop
from conformance.machines.walk.rides import Ride
from conformance.machines.walk.server import Exchange, WalkServer
from conformance.simulators.registry import load as load_providers

__all__ = ["ENDPOINTS", "MOST_KEYS", "WalkBench", "build"]

ENDPOINTS: Final = ("default", "other")
MOST_KEYS: Final = 5
"""How many different keys steps may name for one endpoint."""
_FAR: Final = 10_000.0
"""Seconds after which every delay, cooldown and open breaker of a walk is over."""
_ROUNDS: Final = 12
_FOR_EVER: Final = 1_000_000


def build(name: str, site: Any, **settings: Any) -> Any:
    """Return the backend of a row as it ships."""
    return subjects.load(name).make(site, **settings)


class WalkBench(Bench):
    """Steps: new, submit, cancel, read, hang_up, abandon, answer, resume, mood, resize, add_key, remove_key, rotate_key,
    advance, close, finish.

    The subject is a factory, ``subject(row, site, **settings)``. Callers are named by number, and a request at the server by the
    first caller that it carries; a step that finds nobody there does nothing, so that any part of a walk is a walk.

    Attributes:
        loop, clock, server, backend: what is driven.
        rides: every call, by its number.
        limits, queues: of each endpoint, as last set.
        keys: of each endpoint, the numbers of those it has.
        started, events: what the observers were told, by request id and in order.
        found: what was wrong at the very moment it happened, None for nothing.
        exact: whether every waiting caller can be told from outside.
    """

    machine = "walk"

    def __init__(self, subject: Callable[..., Any]) -> None:
        super().__init__(subject)
        self.random = random.Random(0)  # noqa: S311 - jitter is off; a site needs one
        self.loop = PuppetLoop()
        self.clock = PuppetClock(self.loop)
        self.closed = False
        self.found: str | None = None

    @property
    def base_url(self) -> str:
        """Address of the default endpoint; with ``clock`` and ``random`` it makes the bench a site."""
        return self.server.base_url("default")

    # -- the beginning -------------------------------------------------------------------------------------------------

    def do_new(
        self,
        row: str,
        limit: int,
        queue: int,
        overflow: str,
        keys: int,
        strategy: str,
        per_key: int | None,
        retries: int,
        threshold: int,
        first_token: float | None,
        batch: bool,
        cache: bool,
        abrupt: bool,
    ) -> None:
        """Build a backend with two endpoints; ``batch`` and ``cache`` mean nothing where the row has none, ``abrupt`` closes it
        at the end with everything still under way."""
        self.abrupt = abrupt
        self.row = subjects.load(row)
        self.server = WalkServer(load_providers([self.row.provider or ""])[0], self._arrived)
        self.batches = batch and bool(self.row.batched)
        self.caches = cache and not self.batches
        self.exact = not (self.batches or self.caches or per_key)
        self.rides: dict[int, Ride] = {}
        self.started: dict[str, int] = {}
        self.events: list[CallEnded] = []
        self.limits = dict.fromkeys(ENDPOINTS, limit)
        self.queues = dict.fromkeys(ENDPOINTS, queue)
        self.keys = {name: list(range(keys)) for name in ENDPOINTS}
        self.probes: dict[str, Exchange] = {}
        settings: dict[str, Any] = {"max_batch_size": 3, "batch_timeout": 4.0} if self.batches else {}
        self.backend = self.subject(
            row,
            self,
            transport=self.server,
            observers=[self._observe],
            api_keys=[key_of("default", number) for number in range(keys)],
            max_concurrent_requests=limit,
            queue_size=queue,
            overflow=overflow,
            key_strategy=strategy,
            per_key_limit=per_key,
            max_retries=retries,
            jitter=0.0,
            failure_threshold=threshold,
            reset_timeout=invariants.RESET_TIMEOUT,
            ageing=None,
            first_token_timeout=first_token,
            cache="exact" if self.caches else None,
            **settings,
        )
        others = [key_of("other", number) for number in range(keys)]
        self.backend.create_endpoint("other", base_url=self.server.base_url("other"), api_keys=others)

    def _observe(self, event: Event) -> None:
        if isinstance(event, CallStarted):
            self.started[event.call.request_id] = self.started.get(event.call.request_id, 0) + 1
        elif isinstance(event, CallEnded):
            self.events.append(event)

    def _arrived(self, exchange: Exchange) -> None:
        """Hold what can only be seen as a request arrives: a later look would come too late."""
        self.found = self.found or invariants.at_arrival(self, exchange)

    # -- callers -------------------------------------------------------------------------------------------------------

    def do_submit(
        self, ride: int, kind: str, level: int, endpoint: str, deadline: float | None, same: int | None
    ) -> None:
        """Ask; ``same`` asks for what that call asked, which matters where answers are kept."""
        if kind == "stream" and self.row.stream is None:
            kind = "call"
        text = f"call-number-{ride if same is None or not self.caches else same:04d}"
        options: dict[str, Any] = {"priority": level, "endpoint": endpoint}
        if deadline is not None:
            options["deadline"] = deadline
        until = None if deadline is None else self.loop.time() + deadline
        made = self.rides[ride] = Ride(ride, endpoint, level, until)
        if self.closed:
            self._refused(made, lambda: self._begin(made, kind, text, options))
            return
        full = invariants.is_full(self, endpoint)
        self._begin(made, kind, text, options)
        self.loop.settle()
        if self.exact and isinstance(made.error, errors.QueueFullError):
            self.require(full, "a call was turned away although there was room to wait")

    def _begin(self, ride: Ride, kind: str, text: str, options: dict[str, Any]) -> None:
        if kind == "stream":
            assert self.row.stream is not None
            ride.stream = self.row.stream(self.backend, text, **options)
            self._read(ride)
            return
        run: Any = self.row.call
        if self.batches:
            run = next(iter(self.row.batched.values())).run
        ride.task = self.loop.create_task(ride.call(run(self.backend, text, **options)))

    def _refused(self, ride: Ride, attempt: Callable[[], None]) -> None:
        """Hold a closed backend to its refusal, which may come at once or from the task."""
        try:
            attempt()
            self.loop.settle()
        except errors.ClosedError as error:
            ride.error = error
            ride.ends.append("error")
        ride.counted = False
        refused = isinstance(ride.error, errors.ClosedError)
        self.require(refused, f"a closed backend should refuse a call, it ended as {ride.ends}")

    def _read(self, ride: Ride) -> None:
        ride.task = self.loop.create_task(ride.read())

    def waiting(self) -> list[int]:
        """Return the numbers of the calls whose caller waits."""
        return [ride.number for ride in self.rides.values() if ride.waits]

    def streams(self) -> list[int]:
        """Return the numbers of the streams that are open and not being read."""
        return [ride.number for ride in self.rides.values() if ride.stream is not None and not ride.waits]

    def do_cancel(self, ride: int) -> None:
        """The caller gives up while it waits, wherever its call is."""
        if ride in self.waiting():
            task = self.rides[ride].task
            assert task is not None
            task.cancel()
            self.loop.settle()
            self.require(self.rides[ride].ended, f"call {ride} was cancelled and did not end")

    def do_read(self, ride: int) -> None:
        """Ask an open stream for its next chunk."""
        if ride in self.streams():
            self._read(self.rides[ride])
            self.loop.settle()

    def do_hang_up(self, ride: int) -> None:
        """Close a stream early."""
        if ride in self.streams():
            self.rides[ride].task = self.loop.create_task(self.rides[ride].hang_up())
            self.loop.settle()

    def do_abandon(self, ride: int) -> None:
        """Drop a stream; nothing refers to it any more."""
        if ride in self.streams():
            self.rides[ride].task = None
            self.rides[ride].abandon()
            self.loop.settle()

    # -- the provider --------------------------------------------------------------------------------------------------

    def do_answer(self, ride: int, how: str) -> None:
        """Answer a request that is held."""
        for exchange in self.server.undecided():
            if exchange.rides[:1] == (ride,):  # what a backend asks besides carries no call
                exchange.decided.set_result(how)
        self.loop.settle()

    def do_resume(self, ride: int, how: str) -> None:
        """Let a stream that pauses go on (``rest``) or die (``cut``)."""
        for exchange in self.server.paused():
            if exchange.rides[:1] == (ride,):  # what a backend asks besides carries no call
                exchange.pause.set_result(how)
        self.loop.settle()

    def do_mood(self, how: str, requests: int) -> None:
        """Answer the next so many that arrive in this way, at once."""
        self.server.mood(how, requests)

    # -- the operator --------------------------------------------------------------------------------------------------

    def do_resize(self, endpoint: str, limit: int | None, queue: int | None) -> None:
        """Change the limits of a live endpoint."""
        self.limits[endpoint] = limit or self.limits[endpoint]
        self.queues[endpoint] = self.queues[endpoint] if queue is None else queue
        self.backend.resize(endpoint=endpoint, max_concurrent_requests=limit, queue_size=queue)
        self.loop.settle()

    def do_add_key(self, endpoint: str, key: int) -> None:
        """Add a key, unless it is there."""
        if key not in self.keys[endpoint]:
            self.keys[endpoint].append(key)
            self.backend.add_key(key_of(endpoint, key), endpoint=endpoint)
            self.loop.settle()

    def do_remove_key(self, endpoint: str, key: int) -> None:
        """Take a key out, if it is there."""
        if key in self.keys[endpoint]:
            self.keys[endpoint].remove(key)
            self.backend.remove_key(self.fingerprint(endpoint, key), endpoint=endpoint)
            self.loop.settle()

    def do_rotate_key(self, endpoint: str, old: int, new: int) -> None:
        """Replace a key that is there by one that is not."""
        if old in self.keys[endpoint] and new not in self.keys[endpoint]:
            self.keys[endpoint][self.keys[endpoint].index(old)] = new
            self.backend.rotate_key(self.fingerprint(endpoint, old), key_of(endpoint, new), endpoint=endpoint)
            self.loop.settle()

    def do_advance(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.advance(seconds)

    def do_close(self) -> None:
        """Close the backend, whatever is under way."""
        self.closed = True
        closing = self.loop.create_task(self.backend.aclose())
        self.loop.settle()
        self.require(closing.done() and closing.exception() is None, "closing does not end")

    # -- the end -------------------------------------------------------------------------------------------------------

    def do_finish(self) -> None:
        """Answer everything well, let all time pass, see that all has ended and that the backend still works; then close."""
        if self.abrupt and not self.closed:
            self.do_close()
            invariants.check(self)
        self.server.mood("good", _FOR_EVER)
        for _ in range(_ROUNDS):
            self._let_everybody_go()
            if not self.waiting() and not self.streams():
                break
            self.loop.advance(_FAR)
        left = [ride.number for ride in self.rides.values() if not ride.ended]
        self.require(not left, f"calls that never end, though every answer is good: {left}")
        invariants.check(self)
        self.loop.advance(_FAR)
        if not self.closed:
            self._works_again()
            self.do_close()
        invariants.check(self)
        invariants.nothing_left(self)
        self.loop.finish()

    def _let_everybody_go(self) -> None:
        for exchange in self.server.undecided():
            exchange.decided.set_result("good")
        self.loop.settle()
        for exchange in self.server.paused():
            exchange.pause.set_result("rest")
        self.loop.settle()
        for ride in self.rides.values():
            while ride.stream is not None and not ride.waits:
                self._read(ride)
                self.loop.settle()

    def _works_again(self) -> None:
        """Nothing that happened may be held against a fresh call."""
        for endpoint in ENDPOINTS:
            self.do_add_key(endpoint, MOST_KEYS)
            ride = self.fresh_call(endpoint)
            self.require(ride.ends == ["result"], f"a fresh call on {endpoint} did not succeed: {ride.error!r}")

    def fresh_call(self, endpoint: str) -> Ride:
        """Make a call of its own and give it the time that it needs."""
        number = 1 + max(self.rides, default=0)
        self.do_submit(number, "call", 1, endpoint, None, None)
        self.loop.advance(5.0)
        return self.rides[number]

    def fingerprint(self, endpoint: str, number: int) -> str:
        """Return the fingerprint of a key that steps name by number."""
        return Key(key_of(endpoint, number)).fingerprint

    def end(self) -> None:
        """Close the loop, whatever still runs in it."""
        self.loop.finish()

    def check(self) -> None:
        """Hold every invariant; after a ``finish`` there is nothing to hold any more."""
        if self.found is not None:
            self.require(False, self.found)
        if not self.loop.is_closed():
            invariants.check(self)


def key_of(endpoint: str, number: int) -> str:
    """Return the text of a key."""
    return f"sk-walk-{endpoint}-{number}"
