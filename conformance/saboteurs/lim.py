"""Saboteurs of chapter LIM: limits that follow nothing, budgets that hold nothing, bounds that bound nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backends.errors import QueueFullError
from backends.resilience.adaptive import AdaptiveLimit, Change
from backends.resilience.admission import Admission, Overflow
from backends.resilience.allowance import Allowance, Demand, Rates
from backends.resilience.endpoint import Endpoint
from backends.resilience.keys import KeyPool, Wait
from backends.resilience.rate_headers import Kind, Told
from backends.resilience.turnover import Turnover
from backends.resilience.window import SlidingWindow
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import SpoiltPassage, patched_endpoint, patched_passage


def _with_limit(backend: Any, kind: type[AdaptiveLimit]) -> None:
    def change(endpoint: Endpoint) -> None:
        if endpoint.adaptive is not None:
            endpoint.adaptive = kind(endpoint.settings.max_concurrent_requests, endpoint.clock.monotonic())

    patched_endpoint(backend, change)


def _with_allowances(backend: Any, make: Callable[[Rates], Allowance]) -> None:
    def change(endpoint: Endpoint) -> None:
        for entry in endpoint.pool._entries:
            entry.allowance = make(endpoint.rates)

    patched_endpoint(backend, change)


@saboteur("LIM-01", "hears no refusal")
def deaf_to_refusals(backend: Any) -> None:
    """Only slow answers count."""

    class Deaf(AdaptiveLimit):
        def refused(self, number: int, now: float) -> None:
            del number, now

    _with_limit(backend, Deaf)


@saboteur("LIM-01", "does not look at how long answers take")
def blind_to_slowness(backend: Any) -> None:
    """A server that queues instead of refusing is flooded."""

    class Blind(AdaptiveLimit):
        def answered(self, kind: str, number: int, seconds: float, now: float, in_flight: int) -> None:
            del seconds
            super().answered(kind, number, 1.0, now, in_flight)

    _with_limit(backend, Blind)


@saboteur("LIM-01", "cuts its limit once for every refusal of one crowd")
def cuts_for_each(backend: Any) -> None:
    """One bad second brings it to the floor."""

    class Panicking(AdaptiveLimit):
        def refused(self, number: int, now: float) -> None:
            del number
            super().refused(self.sent(), now)

    _with_limit(backend, Panicking)


@saboteur("LIM-02", "never grows back")
def stays_low(backend: Any) -> None:
    """The outage is over, the limit is not."""

    class Low(AdaptiveLimit):
        def _set(self, wanted: float, change: Change, now: float) -> None:
            super()._set(min(wanted, self._exact), change, now)

    _with_limit(backend, Low)


@saboteur("LIM-02", "takes a caller who hangs up for an overloaded server")
def blames_the_server_for_cancels(backend: Any) -> None:
    """Impatience throttles."""

    class Blaming(SpoiltPassage):
        __slots__ = ()

        def let_go(self) -> None:
            self.overloaded()
            super().let_go()

    patched_passage(backend, Blaming)


@saboteur("LIM-02", "grows beyond its ceiling while answers are quick")
def no_ceiling(backend: Any) -> None:
    """The setting is where it begins, not where it ends."""

    def change(endpoint: Endpoint) -> None:
        if endpoint.adaptive is not None:
            endpoint.adaptive.ceiling *= 4

    patched_endpoint(backend, change)


@saboteur("LIM-03", "sends whatever the budget")
def spends_freely(backend: Any) -> None:
    """Concurrent calls do not see each other's requests (litellm#5783)."""

    class Free(Allowance):
        def ready_at(self, demand: Demand, now: float) -> float:
            del demand
            return now

    _with_allowances(backend, Free)


@saboteur("LIM-03", "begins to count anew every minute")
def fixed_minutes(backend: Any) -> None:
    """Twice the budget goes out around the full minute."""

    class Calendar(SlidingWindow):
        def _forget(self, now: float) -> None:
            while self._sums and self._sums[0][0] // 20 < int(now) // 20:
                self.used -= self._sums.popleft()[1]

        def ready_at(self, amount: int, now: float) -> float:
            self._forget(now)
            return now if self.left(now) >= amount else 20.0 * (int(now) // 20 + 1)

    def make(rates: Rates) -> Allowance:
        allowance = Allowance(rates)
        allowance._declared = {kind: Calendar(window.limit(0.0)) for kind, window in allowance._declared.items()}
        return allowance

    _with_allowances(backend, make)


@saboteur("LIM-03", "turns away who comes while the rate is spent")
def refuses_instead_of_waiting(backend: Any) -> None:
    """The budget holds, and the calls are lost."""

    def change(endpoint: Endpoint) -> None:
        board: Callable[..., Any] = endpoint.board

        def spoilt(*arguments: Any) -> Any:
            found = board(*arguments)
            if isinstance(found, Wait):
                raise QueueFullError("The rate of this minute is spent.")
            return found

        endpoint.board = spoilt  # type: ignore[assignment, method-assign]

    patched_endpoint(backend, change)


@saboteur("LIM-04", "sends although the provider said that nothing is left")
def ignores_what_is_left(backend: Any) -> None:
    """The 429 will say it again."""

    def change(endpoint: Endpoint) -> None:
        endpoint.rates = replace(endpoint.rates, obeyed=False)
        endpoint.pool = KeyPool(endpoint.pool.keys(), rates=endpoint.rates)

    patched_endpoint(backend, change)


@saboteur("LIM-04", "takes a header that it cannot read for nothing left")
def believes_nonsense(backend: Any) -> None:
    """A misconfigured gateway stops every call."""

    def change(endpoint: Endpoint) -> None:
        learn = endpoint.learn_rates

        def spoilt(draw: Any, headers: Mapping[str, str]) -> None:
            learn(draw, headers)
            if not headers.get("x-ratelimit-remaining-requests", "0").isdigit():
                draw.allowance.learn(draw, {Kind.REQUESTS: Told(0, 100, 30.0)}, endpoint.clock.monotonic())

        endpoint.learn_rates = spoilt  # type: ignore[method-assign]

    patched_endpoint(backend, change)


@saboteur("LIM-05", "lets everybody wait who fits into the queue")
def patient_without_end(backend: Any) -> None:
    """The setting is accepted and inert."""

    def change(endpoint: Endpoint) -> None:
        endpoint._check_wait = lambda level, now: None  # type: ignore[method-assign]

    patched_endpoint(backend, change)


@saboteur("LIM-05", "counts those of lower priority as well")
def counts_everybody(backend: Any) -> None:
    """An urgent call is refused because of calls that would let it pass."""

    class Levelled(Admission[Any]):
        def ahead(self, level: int, now: float) -> int | None:
            return super().ahead(2, now)

    def change(endpoint: Endpoint) -> None:
        settings = endpoint.settings
        endpoint.admission = Levelled(
            settings.max_concurrent_requests, settings.queue_size, Overflow(settings.overflow), settings.ageing
        )

    patched_endpoint(backend, change)


@saboteur("LIM-05", "goes by how long calls took while nothing moves any more")
def trusts_old_figures(backend: Any) -> None:
    """The queue before a dead provider fills to the brim."""

    class Trusting(Turnover):
        def expected_wait(self, ahead: int, limit: int, now: float) -> float:
            return (ahead + 1) * (self.seconds or 0.0) / limit

    def change(endpoint: Endpoint) -> None:
        endpoint.turnover = Trusting(endpoint.clock.monotonic())

    patched_endpoint(backend, change)
