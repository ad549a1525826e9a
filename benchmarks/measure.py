"""The measuring loops that run inside a client's process: so many calls in flight for so long.

Before the window opens every caller has had an answer. A failed call counts as a failure and never as a latency. Units
(answers, tokens) count when they come, inside the window only. Nothing here knows which client it measures.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchmarks.figures import percentile

__all__ = ["Tally", "measure", "measure_arrivals", "measure_threads"]

_LONGEST_WARM_UP: Final = 20.0
_WARM_CALLS: Final = 20

Work = Callable[[list[str]], Awaitable[None]]
"""Makes one call, appends what comes as it comes, and raises when the whole is not what was sent."""


class Tally:
    """Counts one measurement; ``open`` and ``close`` bound the window."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.failures = 0
        self.first_failure: str | None = None
        self.everything = 0
        """Calls in and outside the window, to compare with what the server saw."""
        self._counting = False
        self._live: dict[int, list[str]] = {}
        self._done = 0

    def _units(self) -> int:
        return self._done + sum(map(len, list(self._live.values())))

    def open(self) -> None:
        """Begin the window."""
        self._counting = True
        self._before = self._units()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def close(self) -> None:
        """End the window."""
        self._cpu, self._wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        self.units = self._units() - self._before
        self._counting = False

    def started(self) -> list[str]:
        """Return where the units of a new call go."""
        pieces: list[str] = []
        self._live[id(pieces)] = pieces
        return pieces

    def succeeded(self, pieces: list[str], latency: float) -> None:
        """Count an answer."""
        del self._live[id(pieces)]
        self._done += len(pieces)
        self.everything += 1
        if self._counting:
            self.latencies.append(latency)

    def failed(self, pieces: list[str], error: BaseException) -> None:
        """Count a failure, wherever it happened, and keep the first one's words."""
        del self._live[id(pieces)]
        self.everything += 1
        self.failures += 1
        if self.first_failure is None:
            self.first_failure = f"{type(error).__name__}: {str(error)[:300]}"

    def result(self) -> dict[str, Any]:
        """Return the figures; rates and latencies are None when there is nothing to take them from."""
        ordered = sorted(self.latencies)
        some = self.units > 0
        return {
            "calls": len(ordered),
            "everything": self.everything,
            "failures": self.failures,
            "first_failure": self.first_failure,
            "per_second": self.units / self._wall if some else None,
            "cpu_per_unit": self._cpu / self.units if some else None,
            "p50": percentile(ordered, 50) if ordered else None,
            "p99": percentile(ordered, 99) if ordered else None,
        }


async def measure(work: Work, in_flight: int, warm_up: float, seconds: float) -> dict[str, Any]:
    """Keep ``in_flight`` calls going: each caller sends its next as soon as it has its answer."""
    tally = Tally()
    stop = False
    clock = time.perf_counter

    async def caller() -> None:
        while not stop:
            pieces = tally.started()
            began = clock()
            try:
                await work(pieces)
            except Exception as error:
                tally.failed(pieces, error)
                await asyncio.sleep(0)  # a failure that never waits must not keep the window from closing
            else:
                tally.succeeded(pieces, clock() - began)

    began = clock()
    callers = [asyncio.ensure_future(caller()) for _ in range(in_flight)]
    await asyncio.sleep(warm_up)
    while tally.everything < in_flight and clock() - began < _LONGEST_WARM_UP:  # noqa: ASYNC110 - an event would cost every call
        await asyncio.sleep(warm_up)
    tally.open()
    await asyncio.sleep(seconds)
    tally.close()
    stop = True
    await asyncio.gather(*callers)
    return tally.result()


async def measure_arrivals(work: Work, rate: float, seconds: float) -> dict[str, Any]:
    """Start a call at each of evenly spaced times; latency counts from there, so that a stall is not hidden."""
    tally = Tally()
    clock = time.perf_counter
    running: set[asyncio.Task[None]] = set()

    async def one(scheduled: float) -> None:
        pieces = tally.started()
        try:
            await work(pieces)
        except Exception as error:
            tally.failed(pieces, error)
        else:
            tally.succeeded(pieces, clock() - scheduled)

    for _ in range(_WARM_CALLS):
        await one(clock())
    tally.open()
    start = clock()
    for number in range(int(rate * seconds)):
        scheduled = start + number / rate
        ahead = scheduled - clock()
        if ahead > 0:
            await asyncio.sleep(ahead)
        task = asyncio.ensure_future(one(scheduled))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    tally.close()
    return tally.result()


def measure_threads(work: Callable[[list[str]], None], threads: int, warm_up: float, seconds: float) -> dict[str, Any]:
    """As :func:`measure`, with callers that block, one thread each; CPU is that of the whole process."""
    tally = Tally()
    lock = threading.Lock()
    stop = threading.Event()
    clock = time.perf_counter

    def caller() -> None:
        while not stop.is_set():
            with lock:
                pieces = tally.started()
            began = clock()
            try:
                work(pieces)
            except Exception as error:
                with lock:
                    tally.failed(pieces, error)
            else:
                with lock:
                    tally.succeeded(pieces, clock() - began)

    began = clock()
    callers = [threading.Thread(target=caller) for _ in range(threads)]
    for thread in callers:
        thread.start()
    time.sleep(warm_up)
    while tally.everything < threads and clock() - began < _LONGEST_WARM_UP:
        time.sleep(warm_up)
    with lock:
        tally.open()
    time.sleep(seconds)
    with lock:
        tally.close()
    stop.set()
    for thread in callers:
        thread.join()
    return tally.result()
