"""A stream over HTTP: opened by attempts up to its first content, then read to its end and counted exactly once.

Until there is content an attempt may be repeated; after that a stream is never begun again, and what ends it carries what
came.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from backends import errors
from backends.discretion import bare, redact
from backends.exchange import ExchangingBackend
from backends.operation import Repeat, StreamReader
from backends.prepared import Work
from backends.reading import LARGEST_ERROR_BODY, UNREADABLE, brief, refuse_document
from backends.resilience.call import Call, secrets_of, travel, within
from backends.resilience.failures import Blame, failed_format, failed_stream, failed_wire
from backends.secret import Key
from backends.streams import StreamState
from backends.telemetry.metrics import Outcome
from backends.types import Chunk, Usage
from backends.wire.values import Failure, WireError

if TYPE_CHECKING:
    from backends.resilience.endpoint import Passage
    from backends.wire.client import Response

__all__ = ["Opened", "StreamingBackend"]

T = TypeVar("T")

_LARGEST_TAIL: Final = 65_536
_TAIL_SECONDS: Final = 0.05
_MOST_HELD: Final = 256


class Opened:
    """A stream that has begun: what was read to reach its first content, and where the rest comes from."""

    __slots__ = ("chunks", "first_at", "held", "reader", "response", "trouble")

    def __init__(self, response: Response, reader: StreamReader[Any], chunks: AsyncIterator[bytes]) -> None:
        self.response = response
        self.reader = reader
        self.chunks = chunks
        self.held: list[Chunk] = []
        self.trouble: Exception | None = None
        self.first_at: float | None = None


class StreamingBackend(ExchangingBackend):
    """Adds streams to a backend over HTTP; see the module docstring."""

    async def _open(self, work: Work, call: Call[Any], key: Key | None) -> Opened:
        """One attempt at a stream, up to its first content: until then it may be repeated."""
        limit = work.endpoint.settings.first_token_timeout
        if limit is None:
            return await self._open_to_first_content(work, call, key)
        try:
            async with asyncio.timeout(limit):
                return await self._open_to_first_content(work, call, key)
        except TimeoutError:
            problem = WireError(Failure.READ_TIMEOUT, f"no content within {limit:g} s", sent=True)
            raise failed_wire(problem, work.repeat) from None

    async def _open_to_first_content(self, work: Work, call: Call[Any], key: Key | None) -> Opened:
        assert work.operation.stream is not None
        response = await self._send(work, call, key)
        opened = Opened(response, work.operation.stream(), response.chunks())
        try:
            await self._prime(opened)
        except BaseException as problem:
            await response.aclose()
            if isinstance(problem, errors.BackendError):
                problem.provider_request_id = self._provider_request_id(response.headers)
                raise failed_stream(problem, work.repeat, self._clock.time()) from None
            if isinstance(problem, WireError):
                raise failed_wire(problem, work.repeat, status=response.status) from None
            if isinstance(problem, UNREADABLE):
                raise failed_format(f"The stream of {work.operation.name} cannot be read: {brief(problem)}.") from None
            raise
        opened.first_at = self._clock.monotonic()
        return opened

    async def _prime(self, opened: Opened) -> None:
        """Read until there is content; an error before it raises, one behind it in the same bytes is kept for later."""
        reader, held = opened.reader, opened.held
        content = False
        said = b""
        async for data in opened.chunks:
            if not held and len(said) < LARGEST_ERROR_BODY:
                said += data[:LARGEST_ERROR_BODY]
            try:
                for chunk in reader.feed(data):
                    held.append(chunk)
                    content = content or _is_content(chunk)
            except (errors.BackendError, *UNREADABLE) as trouble:
                if not content:
                    raise
                opened.trouble = trouble
                return
            if content or reader.done or len(held) > _MOST_HELD:
                return
        held.extend(reader.finish())
        if reader.done:
            return
        refuse_document(reader, said, opened.response.headers.get("content-type", ""), begun=bool(held))
        raise _cut_short()

    async def _flow(self, call: Call[Opened], work: Work, state: StreamState[T]) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of one stream and count it exactly once, however it ends."""
        self._begun(call)
        outcome: Outcome = "cancelled"
        error: str | None = None
        usage: Usage | None = None
        passage: Passage | None = None
        first: float | None = None
        response: Response | None = None
        data: bytes | None = None
        chunk: Chunk | None = None
        try:
            self._till.admit(call, work.endpoint)
            arrived = await within(self._remaining(call), travel(call, work.endpoint, self._random))
            opened, passage = arrived
            response = opened.response
            first = opened.first_at - call.started if opened.first_at is not None else None
            if call.watch is not None and first is not None:
                call.watch.first_token(first)
            reader, chunks = opened.reader, opened.chunks
            state.provider_request_id = self._provider_request_id(opened.response.headers)
            held, opened.held = opened.held, []
            for chunk in held:
                yield chunk
            try:
                if opened.trouble is not None:
                    raise opened.trouble
                while not reader.done:
                    if call.deadline_at is None:
                        data = await anext(chunks, None)
                    else:
                        data = await within(self._remaining(call), anext(chunks, None))
                    if data is None:
                        break
                    for chunk in reader.feed(data):
                        yield chunk
                else:
                    await _drain(chunks)
                if not reader.done:
                    for chunk in reader.finish():
                        yield chunk
                if not reader.done:
                    raise _cut_short()
                reply: Any = reader.reply(self._answer(call, opened.response, None))
                await response.aclose()
            except (WireError, *UNREADABLE, errors.BackendError) as problem:
                error_now = self._interrupted(bare(problem), opened, work)
                redact(error_now, secrets_of(call, work.endpoint, passage.key))
                # This frame stays in the error's traceback, and what was received may quote a key.
                held, chunk, data = [], None, None
                raise error_now from error_now.__cause__
            reply = self._till.charged(reply, call)
            usage = getattr(reply, "usage", None)
            passage.succeed(usage, call.charge)
            outcome = "success"
            state.reply = reply
            if call.watch is not None:
                call.watch.reply = reply
        except errors.BackendError as failure:
            if response is not None:
                await response.aclose()
            outcome, error = "failure", type(failure).__name__
            if passage is not None:
                usage = self._till.charged_so_far(reader, call, passage, failure)
                self._learn_from_end(passage, failure, work)
            raise self._completed(failure, call) from failure.__cause__
        finally:
            try:
                # The slot is given back only when its connection is: whoever takes it next must not meet it at the server.
                if response is not None:
                    await response.aclose()
            finally:
                if passage is not None:
                    if outcome == "cancelled":
                        usage = self._till.charged_so_far(reader, call, passage)
                    passage.let_go()  # nothing happens where it was ended above
                self._finished(call, work.endpoint, outcome, error, usage, first)

    def _interrupted(self, problem: Exception, opened: Opened, work: Work) -> errors.BackendError:
        """Return the typed error for a stream that had begun and did not end well; it carries what came."""
        partial = opened.reader.partial()
        if isinstance(problem, errors.DeadlineExceededError):
            problem.partial = partial
            return problem
        facts: dict[str, Any] = {
            "provider_request_id": self._provider_request_id(opened.response.headers),
            "partial": partial,
        }
        if isinstance(problem, errors.BackendError):
            interrupted = errors.StreamInterruptedError(
                f"The provider ended the stream with an error: {problem.message}",
                status=problem.status,
                code=problem.code,
                retry_after=problem.retry_after,
                **facts,
            )
            interrupted.__cause__ = problem
            return interrupted
        if isinstance(problem, WireError):
            failed = failed_wire(problem, Repeat.NEVER)
            if isinstance(failed.error, errors.ResponseFormatError):
                failed.error.partial = partial
                return failed.error
            interrupted = errors.StreamInterruptedError(failed.error.message, code=problem.failure.value, **facts)
            interrupted.__cause__ = failed.error
            return interrupted
        return errors.StreamInterruptedError(
            f"The stream of {work.operation.name} cannot be read: {brief(problem)}.", code="format", **facts
        )

    def _learn_from_end(self, passage: Passage, failure: errors.BackendError, work: Work) -> None:
        """Let the breaker learn how a stream that had begun ended: a stream that died is an outage, a broken format is not."""
        cause = failure.__cause__
        if isinstance(failure, errors.DeadlineExceededError):
            passage.let_go()
        elif isinstance(cause, errors.TransportError) or (
            isinstance(cause, errors.BackendError)
            and failed_stream(cause, work.repeat, self._clock.time()).blame is Blame.OUTAGE
        ):
            passage.fail()
        else:
            passage.alive()

    def _remaining(self, call: Call[Any]) -> float | None:
        if call.deadline_at is None:
            return None
        return max(0.0, call.deadline_at - self._clock.monotonic())


def _cut_short() -> WireError:
    return WireError(Failure.CUT_SHORT, "it ended before its end was announced", sent=True)


def _is_content(chunk: Chunk) -> bool:
    return bool(chunk.text or chunk.tool_calls or chunk.reasoning or chunk.data or chunk.refusal or chunk.finish_reason)


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what follows the end announced by the provider, briefly, so that the connection can serve the next call."""
    seen = 0
    try:
        async with asyncio.timeout(_TAIL_SECONDS):
            async for data in chunks:
                seen += len(data)
                if seen > _LARGEST_TAIL:
                    return
    except (TimeoutError, WireError):
        return
