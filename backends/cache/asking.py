"""How one call passes the cache: found there it ends; else it goes on, and what it brings is kept.

A call that is found takes no slot, no key and no budget, and is counted as a hit and nowhere else; observers are told of
it as of any call. This module decides nothing about likeness and nothing about retries.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from copy import copy
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from backends import errors
from backends.cache.cache import Cache
from backends.cache.exact import Identity
from backends.cache.flights import Landing, outcome_of
from backends.cache.flights import Outcome as Landed
from backends.cache.recorder import Recorder
from backends.cache.store import Entry
from backends.cache.told import Told
from backends.operation import Answer, Operation
from backends.resilience.call import Call, within
from backends.resilience.clock import Clock
from backends.streams import StreamState
from backends.telemetry.metrics import Outcome
from backends.types import Chunk, Reply
from backends.wire import jsontext
from backends.wire.values import FormatError

__all__ = ["Asking"]

T = TypeVar("T")
_UNKEPT_HEADERS: Final = frozenset({"set-cookie", "content-length", "transfer-encoding", "connection", "date", "age"})
_UNREADABLE: Final = (errors.BackendError, FormatError, LookupError, TypeError, ValueError, AttributeError)


class Asking(Generic[T]):
    """One call before its cache.

    Args:
        cache: where to look and to keep.
        operation: what is asked.
        identity: which request it is.
        tenant: on whose behalf.
        call: its id, time and priority.
        clock: where time comes from.
        count: adds one to, or the given number to, a counter of the backend.

    Attributes:
        shares: the call may share a wire call with others: its part of the answer is kept, with its share of the counts.
    """

    def __init__(
        self,
        cache: Cache,
        operation: Operation[T],
        identity: Identity,
        tenant: str | None,
        call: Call[Any],
        clock: Clock,
        count: Callable[[str, int], None],
    ) -> None:
        self._cache = cache
        self._operation = operation
        self._identity = identity
        self._tenant = tenant
        self._call = call
        self._clock = clock
        self._count = count
        self._brought: Entry | None = None
        self._vector = b""
        self._went_on = False
        self.shares = False

    # -- what goes on to the wire --------------------------------------------------------------------------------------

    def recording(self) -> Operation[T]:
        """Return the operation to send: it reads as the one asked, and remembers the answer once it was read well."""
        operation, stream = self._operation, self._operation.stream
        if stream is None:
            return replace(operation, read=self._read_and_remember)
        return replace(operation, stream=lambda: Recorder(stream(), self._remember, self._cache.max_bytes))

    def _read_and_remember(self, answer: Answer) -> T:
        reply = self._operation.read(answer)
        data = answer.data
        try:
            content = (
                data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else jsontext.dumps(data)
            )
        except ValueError:  # a lone surrogate: it was read, but cannot be written again
            return reply
        self._remember(answer, content)
        return reply

    def _remember(self, answer: Answer, content: bytes) -> None:
        headers = tuple((name, value) for name, value in answer.headers.items() if name.lower() not in _UNKEPT_HEADERS)
        self._brought = Entry(
            key=self._identity.key,
            scope=self._identity.scope,
            operation=self._operation.name,
            model=self._operation.model,
            tenant=self._tenant,
            text=self._identity.text,
            status=answer.status,
            headers=headers,
            content=content,
            provider_request_id=answer.provider_request_id,
        )

    # -- whole answers -------------------------------------------------------------------------------------------------

    async def whole(self, perform: Callable[[], Awaitable[T]]) -> T:
        """Return the kept reply, or that of the call on its way to the same answer, or what ``perform`` brings.

        Raises:
            BackendError: what the call raised, or the call that this one waited for.
        """
        with self._telling() as told:
            reply = told.reply = await self._found_or_brought(perform)
            return reply

    async def _found_or_brought(self, perform: Callable[[], Awaitable[T]]) -> T:
        reply = self._hit(self._equal(), "exact")
        if reply is not None:
            return reply
        flights, name = self._cache.flights, (self._identity.key, self._call.priority)
        while True:
            flight, leads = flights.join(name)
            if leads:
                outcome: Landed = Landing.AGAIN
                try:
                    reply, outcome = await self._led(perform)
                except BaseException as error:
                    outcome = outcome_of(error)
                    raise
                else:
                    return reply
                finally:
                    flights.end(name, flight, outcome)
            outcome = await within(self._remaining(), flight.wait())
            if isinstance(outcome, errors.BackendError):
                raise self._shared(outcome) from outcome.__cause__
            if isinstance(outcome, Entry):
                reply = self._hit(outcome, "joined")
                if reply is not None:
                    return reply
            if outcome is not Landing.AGAIN:
                return await self._performed(perform)

    async def _led(self, perform: Callable[[], Awaitable[T]]) -> tuple[T, Landed]:
        """Return the reply, and what it means to those who wait for it."""
        found = self._equal()  # another flight may have landed just now
        reply = self._hit(found, "exact")
        if reply is None:
            found = await self._similar()
            reply = self._hit(found, "similar")
        if reply is None:
            reply = await self._performed(perform)
            found = self._brought
        return reply, found or Landing.ALONE

    async def _performed(self, perform: Callable[[], Awaitable[T]]) -> T:
        self._miss()
        reply = await perform()
        if self.shares and self._brought is not None and isinstance(reply, Reply):
            self._brought = replace(self._brought, usage=reply.usage)
        self._keep()
        return reply

    def _miss(self) -> None:
        self._count("misses", 1)
        self._went_on = True

    def _shared(self, error: errors.BackendError) -> errors.BackendError:
        """Return another call's error as this call's own."""
        mine = copy(error)
        mine.request_id, mine.attempts = self._call.id, 0
        return mine

    def _hit(self, entry: Entry | None, kind: str) -> T | None:
        """Return the reply of a kept answer, counted; None where there is none, or none that reads."""
        if entry is None:
            return None
        operation = self._operation
        try:
            data: Any = entry.content
            if operation.expect != "bytes":
                data = entry.content.decode() if operation.expect == "text" else jsontext.loads(entry.content)
            reply = self._flagged(_counted(operation.read(self._answer(entry, data)), entry))
        except _UNREADABLE:  # another version of this library kept it in a file
            return None
        self._count(kind, 1)
        return reply

    # -- streams -------------------------------------------------------------------------------------------------------

    async def stream(self, flow: AsyncGenerator[Chunk, None], state: StreamState[T]) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of the kept stream, or those of ``flow``; what came whole is kept.

        Concurrent streams do not wait for each other: each goes at the pace of its own reader.
        """
        with self._telling() as told:
            async with aclosing(flow):
                replay = self._replay(self._equal(), "exact") or self._replay(await self._similar(), "similar")
                if replay is None:
                    self._miss()
                    async for chunk in flow:
                        yield chunk
                    self._keep()
                    return
                chunks, reply = replay
                told.first_content()
                for chunk in chunks:
                    yield chunk
                state.reply = told.reply = reply

    def _replay(self, entry: Entry | None, kind: str) -> tuple[list[Chunk], T] | None:
        """Return the chunks and the reply of a kept stream, counted; None where there is none, or none that reads."""
        if entry is None:
            return None
        assert self._operation.stream is not None
        reader = self._operation.stream()
        try:
            chunks = [*reader.feed(entry.content)]
            if not reader.done:
                chunks.extend(reader.finish())
            reply = self._flagged(reader.reply(self._answer(entry, None)))
        except _UNREADABLE:  # as above
            return None
        self._count(kind, 1)
        return chunks, reply

    # -- telling observers ---------------------------------------------------------------------------------------------

    @contextmanager
    def _telling(self) -> Iterator[Told]:
        """Tell how a call ended that ended here; what went on is told of by the path that it took."""
        told = Told(self._call, self._clock)
        outcome: Outcome = "cancelled"
        error: errors.BackendError | None = None
        try:
            yield told
            outcome = "success"
        except errors.BackendError as failure:
            outcome, error = "failure", failure
            raise
        finally:
            if not self._went_on:
                told.ended(outcome, error)

    # -- looking and keeping -------------------------------------------------------------------------------------------

    def _equal(self) -> Entry | None:
        return self._cache.get(self._identity.key, self._clock.time())

    async def _similar(self) -> Entry | None:
        text = self._identity.text
        if text is None or not self._cache.is_semantic:
            return None
        vector = await within(self._remaining(), self._cache.vector(text))
        self._vector = vector or b""
        if not self._vector:
            self._count("embedder_failures", 1)
            return None
        looking = self._cache.alike(self._identity.scope, text, self._vector, self._clock.time())
        found, turned_away = await within(self._remaining(), looking)
        self._count("guarded", turned_away)
        return found

    def _keep(self) -> None:
        if self._brought is None:
            return
        entry = replace(self._brought, vector=self._vector)
        kept, evicted = self._cache.put(entry, self._clock.time())
        self._count("stored", int(kept))
        self._count("evicted", evicted)

    def _answer(self, entry: Entry, data: Any) -> Answer:
        call = self._call
        taken = self._clock.monotonic() - call.started
        return Answer(
            entry.status, dict(entry.headers), data, call.id, entry.provider_request_id, 0, taken, self._operation.model
        )

    def _flagged(self, reply: T) -> T:
        assert isinstance(reply, Reply), "only replies are kept"
        return replace(reply, cached=True, attempts=0, cost=0.0)

    def _remaining(self) -> float | None:
        at = self._call.deadline_at
        return None if at is None else max(0.0, at - self._clock.monotonic())


def _counted(reply: T, entry: Entry) -> T:
    """Return a reply with the counts that are its own, where what was kept tells those of several calls."""
    return replace(reply, usage=entry.usage) if entry.usage is not None and isinstance(reply, Reply) else reply
