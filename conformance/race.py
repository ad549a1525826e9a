"""One backend under threads and event loops at once: callers in all of them, an operator beside them, perhaps a close.

Everybody starts at one barrier, and threads are switched as often as the interpreter can. What each does is drawn from a seed
before the start; which thread comes first is left to chance, so only what must hold in any order may be judged afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from backends import errors
from conformance.simulators.delivery import Body, steps
from conformance.simulators.dispatch import Mounted, make_nonce
from conformance.simulators.provider import Provider, Request
from conformance.simulators.registry import load as load_providers
from conformance.subject import Subject
from conformance.virtual_time import JumpClock

__all__ = ["LARGEST_LIMIT", "SMALLEST_LIMIT", "Race", "RaceServer", "switching_often"]

SMALLEST_LIMIT: Final = 2
LARGEST_LIMIT: Final = 4
_LOOPS: Final = 2
_THREADS: Final = 3
_TURNS: Final = 12
"""Turns of its loop that a request stays at the server, so that those of other loops meet it there."""
_PATIENCE: Final = 10.0
_INTERVAL: Final = 1e-5


@contextlib.contextmanager
def switching_often() -> Iterator[None]:
    """Let the interpreter switch threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class RaceServer(httpx.AsyncBaseTransport):
    """A provider in memory that any number of loops may ask at once; every seventh request fails with a 500.

    Attributes:
        peak: the most requests that were ever there at once.
        in_flight, arrived: how many are there, and were.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self.peak = self.in_flight = self.arrived = 0

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"https://race.example{self._provider.mount}{self._provider.suffix}"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take a few turns and answer."""
        body = request.read()
        with self._lock:
            number = self.arrived
            self.arrived += 1
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
        try:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            return await self._answered(request, body, number)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """One request is over."""
        with self._lock:
            self.in_flight -= 1

    async def _answered(self, request: httpx.Request, body: bytes, number: int) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").removeprefix(self._provider.mount).partition("?")
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
        )
        if number % 7 == 6:
            answer = self._provider.error(500, None, None)
        else:
            mounted = Mounted(self._provider, self.base_url)  # its state is not made for threads
            asked = Request(request.method, path, query, headers, body)
            answer = await mounted.answer(asked, make_nonce(self._provider.name, body, number))
        pieces = [step.data for step in steps(answer) if isinstance(step, Body)]
        content_type = ("content-type", answer.content_type or "")
        return httpx.Response(answer.status, headers=[*answer.headers, content_type], stream=_Pieces(self, pieces))


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, server: RaceServer, pieces: list[bytes]) -> None:
        self._leave: Callable[[], None] | None = server.leave
        self._pieces = pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece

    async def aclose(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class Race:
    """See the module docstring. It is the site of its backend.

    Args:
        subject, factory: what races.
        seed: what everybody does.
        calls: how many calls each thread and each loop makes.

    Attributes:
        ends: how each call ended that its caller began: ``result``, ``error``, ``cancelled``; ``refused`` after close.
        strange: what should never come out of a call.
    """

    def __init__(self, subject: Subject, factory: Callable[..., Any], seed: str, calls: int) -> None:
        self._subject = subject
        self._calls = calls
        self._seed = seed
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.clock = JumpClock()
        self.server = RaceServer(load_providers([subject.provider or ""])[0])
        self.ends: list[str] = []
        self.strange: list[str] = []
        self._keys = 3
        self.backend = factory(
            self,
            transport=self.server,
            api_keys=[f"sk-race-{number}" for number in range(self._keys)],
            max_concurrent_requests=SMALLEST_LIMIT,
            queue_size=1_000,
            max_retries=1,
            initial_retry_delay=0.01,
            failure_threshold=1_000_000,
        )

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self.server.base_url

    def run(self, *, operated: bool, closed: bool) -> None:
        """Let everybody go at once, and wait until the last one is back."""
        jobs = [self._in_a_thread] * _THREADS + [self._in_a_loop] * _LOOPS
        jobs += [self._operate] * operated + [self._close] * closed
        start = threading.Barrier(len(jobs))

        def lane(job: Callable[[random.Random], None], number: int) -> None:
            dice = random.Random(f"{self._seed}/{number}")  # noqa: S311 - as above
            try:
                start.wait(_PATIENCE)
                job(dice)
            except Exception as error:
                self.strange.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=lane, args=(job, number)) for number, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_PATIENCE)
        self.strange += [f"{thread.name} never came back" for thread in threads if thread.is_alive()]

    # -- callers -------------------------------------------------------------------------------------------------------

    def _in_a_thread(self, dice: random.Random) -> None:
        call = getattr(self.backend, self._subject.call_name)
        stream = getattr(self.backend, self._subject.stream_name or "", None)
        for number in range(self._calls):
            arguments = self._subject.call_arguments(f"call {number}")
            try:
                if stream is not None and dice.random() < 0.3:
                    self._left_early(stream(*arguments))
                    continue
                call(*arguments, priority=dice.randrange(3))
            except errors.BackendError as error:
                self._failed(error)
            else:
                self.ends.append("result")

    def _left_early(self, stream: Any) -> None:
        next(stream)
        stream.close()
        # A synchronous stream is read ahead: it may have come to its end before it was left.
        self.ends.append("result" if stream.finished else "cancelled")

    def _in_a_loop(self, dice: random.Random) -> None:
        asyncio.run(self._together(dice))

    async def _together(self, dice: random.Random) -> None:
        tasks = [asyncio.create_task(self._one(number, dice.randrange(3))) for number in range(self._calls)]
        for task in tasks:
            for _ in range(dice.randrange(8)):
                await asyncio.sleep(0)
            if dice.random() < 0.4:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, number: int, priority: int) -> None:
        try:
            await self._subject.call(self.backend, f"call {number}", priority=priority)
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        except errors.BackendError as error:
            self._failed(error)
        else:
            self.ends.append("result")

    def _failed(self, error: errors.BackendError) -> None:
        self.ends.append("refused" if isinstance(error, errors.ClosedError) else "error")

    # -- the operator --------------------------------------------------------------------------------------------------

    def _operate(self, dice: random.Random) -> None:
        for number in range(2 * self._calls):
            self.backend.resize(max_concurrent_requests=dice.randint(SMALLEST_LIMIT, LARGEST_LIMIT))
            old = self.backend.endpoint().pool.keys()[0]
            self.backend.rotate_key(old.fingerprint, f"sk-race-{self._keys + number}")
            report = self.backend.report()
            ended = report["successes"] + report["failures"] + report["cancelled"]
            if report["total_requests"] != ended + report["active_requests"]:
                self.strange.append("a report, taken meanwhile, does not add up")

    def _close(self, dice: random.Random) -> None:
        soon = dice.randint(1, self._calls)
        while self.server.arrived < soon:
            self.backend.queue_status()
        self.backend.close()
