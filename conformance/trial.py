"""What a check gets: one subject, one simulator, one loop with virtual time, and a count of what was asserted and
exchanged.

A trial judges the check as well as the subject: without an assertion, without traffic where traffic is due, or with a
scripted fault that never fired it is vacuous, whatever the check believed. It never sleeps in real time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from conformance.judge import CheckFailed, Judge, Raised
from conformance.leaks import find_leaks
from conformance.machines.profiles import QUICK, Profile
from conformance.requirement import Requirement
from conformance.simulators.faults import Action, Fault
from conformance.simulators.record import Seen
from conformance.simulators.server import Simulator
from conformance.subject import Subject
from conformance.threads import ThreadSide
from conformance.virtual_time import LoopClock

__all__ = ["CheckFailed", "Raised", "Trial"]

T = TypeVar("T")
_PATIENCE: Final = 7_200.0
"""Virtual seconds after which what runs together should have ended, whatever it waits for."""


class Trial(Judge):
    """One run of one check on one case of one subject. Made by :mod:`conformance.runner` inside the loop.

    Attributes:
        sim: the simulator, in the same loop.
        subject, requirement, case: what is tried.
        parts: how each part of a case that has many came out: its name, and what is wrong with it, empty for nothing.
        spared: parts that do not concern the subject, and why.
        clock: the loop's clock; give it to whatever needs time.
        random, seed: the only source of chance.
        profile: how long machines are driven.
        machines: what was driven, as it stands in the evidence.
    """

    def __init__(
        self,
        subject: Subject,
        requirement: Requirement,
        sim: Simulator,
        *,
        case: str = "",
        seed: int = 0,
        make: Callable[..., Any] | None = None,
        profile: Profile = QUICK,
    ) -> None:
        super().__init__()
        self.subject = subject
        self.requirement = requirement
        self.case = case
        self.sim = sim
        self.seed = seed
        self.profile = profile
        self.machines: list[dict[str, Any]] = []
        self.random = random.Random(f"{seed}/{requirement.id}/{case}")  # noqa: S311 - reproducible on purpose
        self.clock = LoopClock(asyncio.get_running_loop())
        self._make = make or subject.make
        self._backends: list[Any] = []
        self._sims = [sim]
        self._tasks: list[asyncio.Task[Any]] = []
        self.parts: dict[str, str] = {}
        self.spared: dict[str, str] = {}
        self._other_traffic = 0

    # -- the subject ---------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The simulator's address for this subject."""
        return self.sim.base_url(self.subject.provider) if self.subject.provider is not None else self.sim.origin

    async def backend(self, **settings: Any) -> Any:
        """Return a new backend of the subject, bound to the simulator and to virtual time; it is closed at the end.

        Args:
            **settings: any argument of the constructor. Without ``api_key``, ``api_keys``, ``metadata`` or
            ``environ`` the
                planted key is used; an argument given wins over what the trial would set.
        """
        backend = self._make(self, **settings)
        self._backends.append(backend)
        return backend

    def make(self, **settings: Any) -> Any:
        """Return a new backend that the check closes itself; nothing is verified about it at the end."""
        return self._make(self, **settings)

    @property
    def factory(self) -> Callable[..., Any]:
        """What makes the backend on trial, for a check that gives it a site of its own: ``factory(site, **settings)``."""
        return self._make

    async def call(self, backend: Any, text: str = "hello", **options: Any) -> Any:
        """Make the subject's representative call."""
        return await self.subject.call(backend, text, **options)

    def stream(self, backend: Any, text: str = "hello", **options: Any) -> Any:
        """Return the subject's representative stream; nothing is sent before the first chunk is asked for."""
        assert self.subject.stream is not None, (
            f"{self.subject.name} has no stream; give the requirement the tag stream"
        )
        return self.subject.stream(backend, text, **options)

    # -- the server ----------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Seen]:
        """What arrived at the simulator, oldest first."""
        return self.sim.requests

    def script(self, *faults: Fault) -> None:
        """Script faults as they are; one that never fires makes the trial vacuous."""
        self.sim.script(*faults)

    def fault(self, action: Action, nth: int | tuple[int, ...] | None = None, key: str = "*") -> None:
        """Script an action on the representative call; ``nth`` counts its requests from 1, None means every one."""
        self.sim.script(Fault(action, path=self.subject.call_path, nth=nth, key=key))

    async def another_simulator(self) -> Simulator:
        """Return a second server on another port; it is closed at the end, and its faults and traffic count."""
        sim = Simulator(None if self.subject.provider is None else [self.subject.provider])
        await sim.start()
        self._sims.append(sim)
        return sim

    @property
    def traffic(self) -> int:
        """How many requests arrived at any server of this trial."""
        return self._other_traffic + sum(sim._log.count for sim in self._sims)

    def count_traffic(self, requests: int) -> None:
        """Count requests that arrived at a server of the check's own (one in a thread, or in another process)."""
        self._other_traffic += requests

    def threads(self) -> ThreadSide:
        """Return the threaded side, for synchronous twins: ``async with trial.threads() as side: ...``."""
        return ThreadSide(self.subject, self._make, self.random, self.count_traffic)

    # -- cases of many parts -------------------------------------------------------------------------------------------

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Judge one part of a case that has many: a part that fails is kept in mind, and the others are judged all the same.

        Evidence names every part. :meth:`conclude` must follow the last.
        """
        try:
            yield
        except CheckFailed as broken:
            self.parts[name] = str(broken)
        else:
            self.parts[name] = ""

    def conclude(self) -> None:
        """Fail if any part did, naming each.

        Raises:
            CheckFailed: it did.
        """
        wrong = [f"{name}: {why}" for name, why in self.parts.items() if why]
        self.expect(not wrong, f"{len(wrong)} of {len(self.parts)} parts. {'; '.join(wrong)}")

    # -- time and tasks ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Virtual monotonic seconds."""
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    async def settle(self) -> None:
        """Let everything happen that can happen without time passing (a millisecond of virtual time)."""
        await asyncio.sleep(0.001)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run in the background; what still runs at the end of the check is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        return task

    async def outcomes(self, work: Iterable[Awaitable[T]]) -> list[T | BaseException]:
        """Run together; return each result or error, in order.

        Raises:
            CheckFailed: some have not ended after two virtual hours.
        """
        running = [asyncio.ensure_future(one) for one in work]
        late: set[asyncio.Future[T]] = set()
        try:
            if running:
                _, late = await asyncio.wait(running, timeout=_PATIENCE)
        finally:
            for one in running:
                one.cancel()
        found = await asyncio.gather(*running, return_exceptions=True)
        if late:
            raise CheckFailed(f"{len(late)} of {len(running)} calls had not ended after two hours")
        return found

    async def results(self, work: Iterable[Awaitable[T]]) -> list[T]:
        """Run together; return each result in order, or raise the first error.

        Raises:
            CheckFailed: some have not ended after two virtual hours.
        """
        found: list[T] = []
        for one in await self.outcomes(work):
            if isinstance(one, BaseException):
                raise one
            found.append(one)
        return found

    # -- the end -------------------------------------------------------------------------------------------------------

    def vacuity(self) -> str | None:
        """Return why this trial proves nothing, None when it proves something."""
        if not self.assertions:
            return "the check asserted nothing"
        if self.requirement.traffic and not self.traffic:
            return "no request reached the server"
        unfired = [fault for sim in self._sims for fault in sim.unfired()]
        if unfired:
            return f"a scripted fault never fired: {unfired[0]}"
        return None

    async def wind_up(self) -> str | None:
        """Cancel what runs, close what is open, and return what leaked, None when nothing did."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sim in self._sims:
            sim.let_go()
        await self.settle()
        leak = find_leaks(self._backends)
        for backend in self._backends:
            await backend.aclose()
        for sim in self._sims:
            leak = leak or await self._still_in_flight(sim)
            await sim.aclose()
        await self.settle()
        return leak or _left_tasks()

    def abandon(self) -> None:
        """Close every server at once, whatever still runs: a trial that got stuck leaves no socket behind."""
        for sim in self._sims:
            sim.abandon()

    async def _still_in_flight(self, sim: Simulator) -> str | None:
        try:
            async with asyncio.timeout(5.0):
                await sim.until(in_flight=0)
        except TimeoutError:
            return f"the backend is closed, but {sim.in_flight} requests are still open at the server"
        return None


def _left_tasks() -> str | None:
    left = sorted(_name(task) for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done())
    return f"tasks still run after close: {', '.join(left[:5])}" if left else None


def _name(task: asyncio.Task[Any]) -> str:
    work = task.get_coro()
    return str(getattr(work, "__qualname__", type(work).__name__))
