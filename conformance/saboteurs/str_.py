"""Saboteurs of chapter STR: streams gathered, garbled, and ended by anything but their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

from backends import errors
from backends.types import ChatReply, Chunk, Usage
from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError, WireError
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.str_reading import Reading, reading, rewritten


@saboteur("STR-01", "gathers the whole stream before it gives the first chunk")
def gathers_first(backend: Any) -> None:
    """Streaming in name only."""

    async def gathered(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        for chunk in [chunk async for chunk in chunks]:
            yield chunk

    rewritten(backend, gathered)


@saboteur("STR-01", "swallows the first text", subjects=EVERY_ROW)
def loses_the_first_word(backend: Any) -> None:
    """What was read to see whether the stream lives is thrown away."""

    async def beheaded(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        begun = False
        async for chunk in chunks:
            if chunk.text and not begun:
                begun = True
                chunk = replace(chunk, text="")
            yield chunk

    rewritten(backend, beheaded)


@saboteur("STR-02", "decodes each read by itself")
def decodes_each_read(backend: Any) -> None:
    """A character cut in two becomes two question marks."""

    class Hasty(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            return super().feed(data.decode("utf-8", "replace").encode())

    reading(backend, Hasty)


@saboteur("STR-02", "takes each read for whole events")
def forgets_half_lines(backend: Any) -> None:
    """What a read leaves unfinished is lost."""

    class Forgetful(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            self.inner._decoder = SSEDecoder()
            return super().feed(data)

    reading(backend, Forgetful)


@saboteur("STR-02", "knows one line ending only")
def line_feeds_only(backend: Any) -> None:
    """A line that holds a carriage return is not blank."""

    class LineFeeds(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            return super().feed(data.replace(b"\r", b" "))

    reading(backend, LineFeeds)


@saboteur("STR-02", "takes the byte order mark for a part of the first field")
def keeps_the_mark(backend: Any) -> None:
    """The first event is unknown, and gone."""

    class Marked(Reading):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner)
            inner._decoder._at_start = False

    reading(backend, Marked)


@saboteur("STR-03", "takes an error event for the end", subjects=EVERY_ROW)
def swallows_error_events(backend: Any) -> None:
    """Half an answer is passed off as a whole one."""

    class Serene(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            try:
                yield from super().feed(data)
            except errors.BackendError:
                self.ended = True

        def finish(self) -> Iterable[Chunk]:
            try:
                return super().finish()
            except errors.BackendError:  # of a server whose errors are no events
                self.ended = True
                return ()

    reading(backend, Serene)


@saboteur("STR-03", "loses the partial text when the provider breaks off")
def forgets_the_partial(backend: Any) -> None:
    """The caller paid for it."""
    interrupted = backend._interrupted

    def spoilt(problem: Exception, opened: Any, work: Any) -> Any:
        error = interrupted(problem, opened, work)
        if isinstance(problem, errors.BackendError):
            error.partial = None
        return error

    backend._interrupted = spoilt


@saboteur("STR-03", "drops the content that came in the same bytes as the error")
def error_before_content(backend: Any) -> None:
    """Decodes a whole read before it gives anything out."""

    class Greedy(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            return list(super().feed(data))

    reading(backend, Greedy)


@saboteur("STR-04", "takes the end of the bytes for the end of the stream")
def any_end_is_an_end(backend: Any) -> None:
    """No terminator is waited for."""

    class Trusting(Reading):
        def finish(self) -> Iterable[Chunk]:
            self.ended = True
            return super().finish()

    reading(backend, Trusting)


@saboteur("STR-04", "takes a lost connection for the end of the stream")
def a_cut_is_an_end(backend: Any) -> None:
    """Truncation looks like brevity."""
    interrupted = backend._open

    async def spoilt(*arguments: Any) -> Any:
        opened = await interrupted(*arguments)
        chunks, reader = opened.chunks, opened.reader

        async def patient() -> AsyncIterator[bytes]:
            try:
                async for data in chunks:
                    yield data
            except WireError:
                reader.ended = True

        opened.chunks = patient()
        return opened

    reading(backend, Reading)
    backend._open = spoilt


@saboteur("STR-05", "does not ask for the token counts")
def asks_for_no_usage(backend: Any) -> None:
    """stream_options is forgotten."""
    stream = backend._stream

    def spoilt(operation: Any, options: Any) -> Any:
        body = {name: value for name, value in operation.body.items() if name != "stream_options"}
        return stream(replace(operation, body=body), options)

    backend._stream = spoilt


@saboteur("STR-05", "leaves the token counts off the reply", subjects=EVERY_ROW)
def reply_without_usage(backend: Any) -> None:
    """They were only ever in a chunk."""

    class Careless(Reading):
        def reply(self, answer: Any) -> Any:
            return replace(super().reply(answer), usage=Usage())

    reading(backend, Careless)


@saboteur("STR-05", "stops at the reason for the end")
def stops_at_finish_reason(backend: Any) -> None:
    """The chunk with the counts comes after it."""

    async def impatient(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        over = False
        async for chunk in chunks:
            if not over:
                yield chunk
            over = over or chunk.finish_reason is not None

    rewritten(backend, impatient)


@saboteur("STR-10", "takes an empty stream for an empty answer")
def empty_is_an_answer(backend: Any) -> None:
    """Nothing came, so nothing was said."""

    class Content(Reading):
        fed = False

        def feed(self, data: bytes) -> Iterable[Chunk]:
            self.fed = self.fed or bool(data)
            return super().feed(data)

        def finish(self) -> Iterable[Chunk]:
            self.ended = not self.fed
            return super().finish()

        def reply(self, answer: Any) -> Any:
            try:
                return super().reply(answer)
            except FormatError:
                return ChatReply(**answer.facts())

    reading(backend, Content)
