"""The batches of one endpoint, driven: callers in, one journey for each batch, and every caller's own end.

:class:`backends.resilience.batcher.Batcher` decides who leaves together; this module waits on the injected clock, sends,
isolates what spoils a batch, and sees to it that each member ends exactly once. It touches no bytes and knows no provider.

Batches form among the callers of one event loop. Callers of the synchronous twins share the backend's own loop, so threads
batch with each other; two loops of the caller's own never wait for one another, and need no lock. Who waits for a batch
stands in no queue yet: ``queue_size`` and the limit of concurrency count batches, from when they leave.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, TypeVar

from backends import errors
from backends.resilience.batcher import Batch, Batcher, Place
from backends.resilience.call import Call
from backends.resilience.clock import Clock
from backends.together import together

__all__ = ["Batching", "Member"]

T = TypeVar("T")
_INDIVISIBLE: Final = (errors.UnknownModelError, errors.UnsupportedError)
"""Refusals of what all members have in common: asking again with fewer of them would be refused as well."""


@dataclass(slots=True, eq=False)
class _Journey:
    """One batch on its way: how many callers it carries, and whether one of them has left it."""

    riders: int
    task: asyncio.Task[None] | None = None
    abandoned: bool = False


@dataclass(slots=True, eq=False)
class Member(Generic[T]):
    """One caller's request in a batch.

    Attributes:
        call: its id, priority, deadline and counts; what the batch goes through is added to them.
        work: whatever the sender needs of it.
        group: members with equal groups may share a wire call.
        items, length: how many items it brings, and how long they are.
        most_items, most_length: the provider's bounds for one wire call, None for none.
    """

    call: Call[T]
    work: Any
    group: Hashable
    items: int
    length: int
    most_items: int | None = None
    most_length: int | None = None
    future: asyncio.Future[T] | None = field(default=None, repr=False)
    journey: _Journey | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        """True once its caller has an answer, an error, or has gone."""
        assert self.future is not None
        return self.future.done()

    def fail(self, error: BaseException) -> None:
        """End it with an error of its own, unless it has ended."""
        if not self.ended:
            assert self.future is not None
            self.future.set_exception(error)


Send = Callable[[Sequence[Member[Any]], int], Awaitable[Sequence[Any]]]
"""Takes members with one group and the priority of their journey; returns their results in order, among them the errors
that are one member's own, or raises for all."""


class Batching:
    """See the module docstring.

    Args:
        clock: where time comes from.
        max_size, timeout: as for :class:`~backends.resilience.batcher.Batcher`.
        send: makes one wire call for several members.
    """

    def __init__(self, clock: Clock, max_size: int, timeout: float, send: Send) -> None:
        self.clock = clock
        self.max_size = max_size
        self.timeout = timeout
        self.send = send
        self.limits: dict[Hashable, int] = {}
        """What was learned of the provider; it outlasts the loops of the callers who found it out."""
        self._desks: dict[asyncio.AbstractEventLoop, _Desk] = {}

    def batcher(self) -> Batcher[Member[Any]]:
        """Return a fresh machine that decides who leaves together, for the callers of one loop."""
        return Batcher(self.max_size, self.timeout, self.limits)

    async def ride(self, member: Member[T]) -> T:
        """Wait for a batch, travel with it, and return this member's own result.

        Cancelled while it waits, the member is not sent; cancelled on the way, the others go on without it.

        Raises:
            BackendError: its own copy of what went wrong.
        """
        loop = asyncio.get_running_loop()
        desk = self._desks.get(loop)
        if desk is None:
            desk = self._desks[loop] = _Desk(self, loop)
        member.future = loop.create_future()
        place = desk.add(member, self.clock.monotonic())
        try:
            return await member.future
        finally:
            if not member.ended:
                member.future.cancel()
            desk.left(member, place)
            if not desk.riders:
                self._desks.pop(loop, None)

    def close(self) -> None:
        """Refuse whoever still waits for a batch; batches on their way end as any call does."""
        for desk in list(self._desks.values()):
            desk.close()

    def after_fork(self) -> None:
        """Forget the parent's callers."""
        self._desks = {}

    def __len__(self) -> int:
        """How many callers wait for a batch to leave."""
        return sum(len(desk.batcher) for desk in list(self._desks.values()))


class _Desk:
    """What waits and travels in one event loop; touched by no other."""

    def __init__(self, batching: Batching, loop: asyncio.AbstractEventLoop) -> None:
        self._batching = batching
        self._loop = loop
        self.batcher = batching.batcher()
        self.riders = 0
        """Callers that wait or travel."""
        self._timer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # asyncio itself holds its tasks weakly

    # -- coming and going ----------------------------------------------------------------------------------------------

    def add(self, member: Member[Any], now: float) -> Place[Member[Any]]:
        """Let a member in, and let go what is full."""
        place, leaving = self.batcher.add(
            member,
            member.group,
            now,
            items=member.items,
            length=member.length,
            most_items=member.most_items,
            most_length=member.most_length,
            level=member.call.priority,
            latest=member.call.deadline_at,
        )
        self.riders += 1
        for batch in leaving:
            self._depart(batch)
        self._watch()
        return place

    def left(self, member: Member[Any], place: Place[Member[Any]]) -> None:
        """Note that a caller has its answer or has gone; a journey that carries nobody any more is given up."""
        self.riders -= 1
        self.batcher.withdraw(place)
        self._watch()
        journey = member.journey
        if journey is None:
            return
        assert member.future is not None
        journey.riders -= 1
        journey.abandoned = journey.abandoned or member.future.cancelled()
        if not journey.riders and journey.abandoned:
            assert journey.task is not None
            journey.task.cancel()

    def close(self) -> None:
        """Refuse the waiting, from whatever thread."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._refuse()
            return
        try:
            self._loop.call_soon_threadsafe(self._refuse)
        except RuntimeError:
            return  # the loop is closed: nobody of it waits for an answer

    def _refuse(self) -> None:
        for member in self.batcher.drain():
            member.fail(errors.ClosedError("The backend was closed while this request waited; nothing was sent."))
        self._watch()

    # -- time ----------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Keep a timer while somebody waits, and none otherwise."""
        waiting = self.batcher.next_due() is not None
        if waiting and self._timer is None:
            self._timer = self._loop.create_task(self._keep_time())
        elif not waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _keep_time(self) -> None:
        clock = self._batching.clock
        while (due := self.batcher.next_due()) is not None:
            await clock.sleep(max(0.0, due - clock.monotonic()))
            for batch in self.batcher.due(clock.monotonic()):
                self._depart(batch)
        self._timer = None

    # -- journeys ------------------------------------------------------------------------------------------------------

    def _depart(self, batch: Batch[Member[Any]]) -> None:
        now = self._batching.clock.monotonic()
        journey = _Journey(len(batch.members))
        for member in batch.members:
            member.journey = journey
            member.call.queued += now - member.call.started
        journey.task = self._loop.create_task(self._travel(batch))
        self._tasks.add(journey.task)
        journey.task.add_done_callback(self._tasks.discard)

    async def _travel(self, batch: Batch[Member[Any]]) -> None:
        """Take a batch to its end; whatever happens, nobody in it is forgotten."""
        try:
            await self._deliver(batch.members, batch.level)
        except Exception as failure:
            for member in batch.members:
                member.fail(failure)
        finally:
            for member in batch.members:
                if not member.ended:  # the loop itself is coming to its end
                    assert member.future is not None
                    member.future.cancel()

    async def _deliver(self, members: Sequence[Member[Any]], level: int) -> bool:
        """Send members together and hand out what comes; halve them until what is refused stands alone.

        Returns:
            whether everybody still there got a result.
        """
        present = [member for member in members if not member.ended]
        if not present:
            return True
        try:
            results = await self._batching.send(present, level)
        except errors.BackendError as failure:
            divisible = isinstance(failure, errors.InvalidRequestError) and not isinstance(failure, _INDIVISIBLE)
            if len(present) == 1 or not divisible:
                for member in present:
                    member.fail(failure if len(present) == 1 else copy.copy(failure))
                return False
            return await self._halved(present)
        for member, result in zip(present, results, strict=True):
            if isinstance(result, errors.BackendError):
                member.fail(result)
            elif not member.ended:
                assert member.future is not None
                member.future.set_result(result)
        return not any(isinstance(result, errors.BackendError) for result in results)

    async def _halved(self, members: Sequence[Member[Any]]) -> bool:
        middle = len(members) // 2
        halves = (members[:middle], members[middle:])
        levels = [min(member.call.priority for member in half) for half in halves]
        served = await together(
            [partial(self._deliver, half, level) for half, level in zip(halves, levels, strict=True)], 2
        )
        if all(served):  # nobody was at fault but their number
            largest = max(sum(member.items for member in half) for half in halves)
            self.batcher.learn(members[0].group, largest)
        return all(served)
