"""A simulator and backends in real threads, for what only threads can show: synchronous twins, several loops, forks.

Time does not pass here: the clock of these backends jumps when they sleep, and the trial's own virtual time stands
    still
while a worker thread runs.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from conformance.leaks import find_leaks
from conformance.simulators.faults import Action, Fault
from conformance.simulators.record import Seen
from conformance.simulators.server import Simulator
from conformance.subject import Subject
from conformance.virtual_time import JumpClock

__all__ = ["SimulatorThread", "ThreadSide"]

T = TypeVar("T")
_PATIENCE = 15.0


class SimulatorThread:
    """A simulator with a loop and a thread of its own; every method may be called from any thread."""

    def __init__(self, providers: list[str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="conformance-simulator", daemon=True)
        self.sim = Simulator(providers)

    def start(self) -> None:
        """Start the thread and listen."""
        self._thread.start()
        self.ask(self.sim.start())

    def stop(self) -> None:
        """Stop listening, end the thread and close its loop."""
        self.ask(self.sim.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the simulator's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def tell(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in the simulator's loop and return its result."""

        async def inside() -> T:
            return function(*arguments)

        return self.ask(inside())

    @property
    def requests(self) -> list[Seen]:
        """What arrived so far."""
        return self.tell(lambda: self.sim.requests)


class ThreadSide:
    """The threaded half of a trial; made by :meth:`conformance.trial.Trial.threads`.

    Attributes:
        server: the simulator's thread.
        clock: the clock of its backends; ``clock.slept`` lists what they slept.
        random: their source of chance.
    """

    def __init__(
        self, subject: Subject, make: Callable[..., Any], chance: random.Random, count: Callable[[int], None]
    ) -> None:
        self._subject = subject
        self._make = make
        self._count = count
        self._backends: list[Any] = []
        self.server = SimulatorThread([subject.provider] if subject.provider is not None else [])
        self.clock = JumpClock()
        self.random = chance

    @property
    def base_url(self) -> str:
        """The simulator's address for this subject."""
        sim = self.server.sim
        return sim.base_url(self._subject.provider) if self._subject.provider is not None else sim.origin

    @property
    def requests(self) -> list[Seen]:
        """What arrived at the simulator of this side."""
        return self.server.requests

    def backend(self, **settings: Any) -> Any:
        """Return a new backend that lives on this side; it is closed at the end."""
        backend = self.make(**settings)
        self._backends.append(backend)
        return backend

    def make(self, **settings: Any) -> Any:
        """Return a new backend that the check closes itself."""
        return self._make(self, **settings)

    def fault(self, action: Action, nth: int | tuple[int, ...] | None = None) -> None:
        """Script an action on the representative call."""
        self.server.tell(self.server.sim.script, Fault(action, path=self._subject.call_path, nth=nth))

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a blocking function in a worker thread."""
        result: T = await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
        return result

    def unfired(self) -> list[Fault]:
        """Faults of this side that changed nothing yet."""
        return self.server.tell(self.server.sim.unfired)

    async def __aenter__(self) -> Self:
        await self.run(self.server.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            unfired = await self.run(self.unfired)
            self._count(await self.run(lambda: len(self.requests)))
            leak = find_leaks(self._backends)
            for backend in self._backends:
                await self.run(backend.close)
        finally:
            await self.run(self.server.stop)
        if kind is None:
            assert not unfired, f"a scripted fault never fired: {unfired[0]}"
            assert leak is None, leak
