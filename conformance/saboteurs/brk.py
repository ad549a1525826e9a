"""Saboteurs of chapter BRK: circuit breakers that do not break, do not heal, or break for the wrong reason."""

from __future__ import annotations

from typing import Any

from backends.resilience.breaker import Breaker, Lease, State, Transition
from backends.resilience.endpoint import Endpoint
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.common import SpoiltPassage, patched_breaker, patched_endpoint, patched_passage


@saboteur("BRK-01", "never resets the count of failures on a success")
def counts_for_ever(backend: Any) -> None:
    """The sketch of the original plan: five failures a day apart open the breaker."""

    class Grudge(Breaker):
        def success(self, lease: Lease, now: float, wall: float) -> None:
            failures = self.failures
            super().success(lease, now, wall)
            if not lease.probe:
                self.failures = failures

    patched_breaker(backend, Grudge)


@saboteur("BRK-02", "lets calls through while open", subjects=EVERY_ROW)
def never_opens(backend: Any) -> None:
    """Configured, displayed, inert."""

    class Inert(Breaker):
        def failure(self, lease: Lease, now: float, wall: float) -> None:
            self.failures += 1

    patched_breaker(backend, Inert)


@saboteur("BRK-02", "says nothing of when to come back")
def mute_refusal(backend: Any) -> None:
    """Fails fast, but leaves the caller to guess."""

    def change(endpoint: Endpoint) -> None:
        made = endpoint._open_error

        def mute(wait: float) -> Any:
            error = made(wait)
            error.retry_after = None
            return error

        endpoint._open_error = mute  # type: ignore[method-assign]

    patched_endpoint(backend, change)


@saboteur("BRK-03", "admits everyone once the timeout has passed")
def half_open_stampede(backend: Any) -> None:
    """Every waiting caller is a probe."""

    class Stampede(Breaker):
        def wait(self, now: float) -> float:
            return 0.0 if self.state is State.HALF_OPEN else super().wait(now)

    patched_breaker(backend, Stampede)


@saboteur("BRK-04", "does not start a fresh timer when the probe fails")
def stale_timer(backend: Any) -> None:
    """After a failed probe the old timer has long run out, so the next call is a probe again."""

    class Stale(Breaker):
        def failure(self, lease: Lease, now: float, wall: float) -> None:
            ready = self._ready_at
            super().failure(lease, now, wall)
            if lease.probe:
                self._ready_at = ready

    patched_breaker(backend, Stale)


@saboteur("BRK-04", "closes after a good probe without clearing the count")
def uncleared_count(backend: Any) -> None:
    """One more failure after the recovery opens it again."""

    class Uncleared(Breaker):
        def success(self, lease: Lease, now: float, wall: float) -> None:
            failures = self.failures
            super().success(lease, now, wall)
            if lease.probe:
                self.failures = failures

    patched_breaker(backend, Uncleared)


@saboteur("BRK-05", "feeds 4xx to the breaker", subjects=EVERY_ROW)
def blames_the_provider_for_4xx(backend: Any) -> None:
    """A caller's typing error takes the endpoint down for everybody."""

    patched_passage(backend, _Blaming)


class _Blaming(SpoiltPassage):
    __slots__ = ()

    def alive(self) -> None:
        self.fail()


@saboteur("BRK-06", "keeps the place of a cancelled probe")
def wedged_half_open(backend: Any) -> None:
    """Nobody ever probes again."""

    class Wedged(Breaker):
        def release(self, lease: Lease, now: float, wall: float) -> None:
            del lease, now, wall

    patched_breaker(backend, Wedged)


@saboteur("BRK-07", "lets an old success close an open breaker")
def believes_old_news(backend: Any) -> None:
    """Outcomes carry no generation."""

    class Forgetful(Breaker):
        def success(self, lease: Lease, now: float, wall: float) -> None:
            if self.state is not State.CLOSED and not lease.probe:
                self._move(State.CLOSED, now, wall, "an old success")
                self._lease = Lease(self._generation, probe=False)
            super().success(lease, now, wall)

    patched_breaker(backend, Forgetful)


@saboteur("BRK-08", "records the success of a stream when it opens")
def blind_to_streams(backend: Any) -> None:
    """A provider whose every stream dies looks healthy."""
    backend._learn_from_end = lambda passage, failure, work: passage.succeed()


@saboteur("BRK-08", "counts a caller who hangs up as a failure of the provider")
def blames_hanging_up(backend: Any) -> None:
    """Impatient users open the breaker."""

    patched_passage(backend, _Offended)


class _Offended(SpoiltPassage):
    __slots__ = ()

    def let_go(self) -> None:
        self.fail()


@saboteur("BRK-09", "shares one breaker among all endpoints")
def one_breaker_for_all(backend: Any) -> None:
    """The outage of one region takes the others down."""
    shared = Breaker(backend.settings.failure_threshold, backend.settings.reset_timeout)

    def change(endpoint: Endpoint) -> None:
        endpoint.breaker = shared

    patched_endpoint(backend, change)


@saboteur("BRK-09", "counts the same failure once per key")
def counts_keys(backend: Any) -> None:
    """One bad request opens the breaker by walking the keys."""
    make = backend._call

    class Amnesia(dict[object, str]):
        def setdefault(self, kind: object, fingerprint: str = "") -> str:
            return fingerprint

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        call.failed_on = Amnesia()
        return call

    backend._call = spoilt


@saboteur("BRK-10", "records no transitions")
def no_history(backend: Any) -> None:
    """Nobody can tell afterwards what happened."""

    class Silent(Breaker):
        @property
        def transitions(self) -> tuple[Transition, ...]:
            return ()

    patched_breaker(backend, Silent)


@saboteur("BRK-10", "goes from open to closed without a probe")
def skips_half_open(backend: Any) -> None:
    """Heals by itself when the time is over, whatever the provider does."""

    class Optimist(Breaker):
        def acquire(self, now: float, wall: float) -> Any:
            if self.state is State.OPEN and self.wait(now) == 0.0:
                self._move(State.CLOSED, now, wall, "time is over")
                self._lease = Lease(self._generation, probe=False)
                self.failures = 0
            return super().acquire(now, wall)

    patched_breaker(backend, Optimist)
