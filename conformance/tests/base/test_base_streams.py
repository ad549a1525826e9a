"""Streams as callers hold them: bounded, ended in one of four ways, and never keeping what is not theirs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Iterator

import pytest
from base_bench import Turning, collected, counted, held, parrot, settle

from backends import errors
from backends.streams import _READ_AHEAD

WORDS = [b"one\n", b"two\n", b"three\nEND\n"]
CROSSINGS = 2
"""What may be on its way to a synchronous consumer: one load in its hands, one behind it."""


def endless() -> Iterator[bytes]:
    while True:
        yield b"word\n"


def wait_for(true: object) -> None:
    """Wait for another thread, for at most five seconds."""
    ends = time.monotonic() + 5
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not come true"
        time.sleep(0.001)


# -- asynchronous ------------------------------------------------------------------------------------------------------


async def test_a_stream_sends_nothing_before_its_first_chunk_is_asked_for() -> None:
    """Making it, looking at it and closing it are free."""
    transport = Turning(WORDS)
    backend = parrot(transport)
    stream = backend.astream_say()
    assert not stream.finished
    with pytest.raises(errors.BackendError, match="has not finished"):
        _ = stream.reply
    await stream.aclose()
    assert transport.bodies == []
    assert counted(backend) == (0, 0, 0, 0)
    await backend.aclose()


async def test_a_stream_ends_with_its_reply() -> None:
    """Chunks joined are the text; asking on after the end gives the end again."""
    backend = parrot(Turning(WORDS))
    stream = backend.astream_say()
    assert [chunk.text async for chunk in stream] == ["one", "two", "three"]
    assert stream.finished
    assert (stream.reply.text, stream.reply.request_id) == ("onetwothree", stream.request_id)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert (await stream.collect()).text == "onetwothree"
    await stream.aclose()
    assert held(backend) == []
    assert counted(backend) == (1, 1, 0, 0)
    await backend.aclose()


async def test_a_stream_closed_midway_gives_everything_back() -> None:
    """By hand and by leaving its block; it is counted as cancelled and has no reply."""
    transport = Turning(WORDS)
    backend = parrot(transport, max_concurrent_requests=1)
    stream = backend.astream_say()
    assert (await anext(stream)).text == "one"
    assert held(backend) == ["1 slots", f"key {backend.endpoint().key_status()[0].fingerprint}"]
    await stream.aclose()
    assert held(backend) == []
    async with backend.astream_say() as second:
        await anext(second)
    assert held(backend) == []
    assert [body.closed for body in transport.bodies] == [True, True]
    assert counted(backend) == (2, 0, 0, 2)
    with pytest.raises(errors.BackendError):
        _ = stream.reply
    await backend.aclose()


@pytest.mark.parametrize("ending", ["left", "failed", "whole"])
async def test_a_stream_keeps_its_slot_until_its_connection_is_closed(ending: str) -> None:
    """Whoever is given the slot next must not meet the last stream at the server."""
    words = [b"one\n", b"two\n", b"ERROR\n" if ending == "failed" else b"END\n"]
    transport = Turning(words)
    backend = parrot(transport)
    seen: list[int] = []
    stream = backend.astream_say()
    await anext(stream)
    body = transport.bodies[0]
    close = body.aclose

    async def closed() -> None:
        if not body.closed:
            seen.append(backend.queue_status()["active"])
        await close()

    body.aclose = closed  # type: ignore[method-assign]  # a look at the moment of closing
    if ending == "left":
        await stream.aclose()
    else:
        with contextlib.suppress(errors.StreamInterruptedError):
            await stream.collect()
    assert seen == [1]
    assert held(backend) == []
    await backend.aclose()


async def test_an_abandoned_stream_gives_everything_back() -> None:
    """Dropped without a word, it is closed by the loop."""
    transport = Turning(WORDS)
    backend = parrot(transport, max_concurrent_requests=1)
    stream = backend.astream_say()
    await anext(stream)
    del stream
    await collected(lambda: held(backend) == [])
    await settle(lambda: transport.bodies[0].closed)
    assert (await backend.astream_say().collect()).text == "onetwothree"
    assert counted(backend) == (2, 1, 0, 1)
    await backend.aclose()


async def test_an_error_surfaces_once() -> None:
    """Then the stream has ended; what came before is on the error."""
    backend = parrot(Turning([b"one\n", b"ERROR\n"]))
    stream = backend.astream_say()
    assert (await anext(stream)).text == "one"
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await anext(stream)
    assert (caught.value.partial, caught.value.status, caught.value.code) == ("one", 500, "gone")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    with pytest.raises(errors.BackendError, match="has not finished"):
        await stream.collect()
    assert held(backend) == []
    assert counted(backend) == (1, 0, 1, 0)
    await backend.aclose()


async def test_a_stream_read_by_two_at_once_is_refused() -> None:
    """The language says so itself; the first reader is not disturbed."""
    backend = parrot(Turning(WORDS))
    stream = backend.astream_say()
    first = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="asynchronous generator is already running"):
        await anext(stream)
    assert (await first).text == "one"
    await stream.aclose()
    await backend.aclose()


# -- synchronous -------------------------------------------------------------------------------------------------------


def test_a_synchronous_stream_reads_ahead_within_bounds() -> None:
    """A consumer that stops costs two loads of 64 chunks, however much the server sends."""
    transport = Turning([])
    transport._answers = [endless()]  # type: ignore[list-item]
    backend = parrot(transport)
    stream = backend.stream_say()
    assert next(stream).text == "word"
    body = transport.bodies[0]
    wait_for(lambda: body.given >= _READ_AHEAD)
    time.sleep(0.02)
    most = CROSSINGS * _READ_AHEAD + 1
    assert body.given <= most
    for _ in range(1000):
        next(stream)
        assert len(stream._ready) <= _READ_AHEAD
        assert body.given <= 1000 + most
    stream.close()
    wait_for(lambda: body.closed)
    assert held(backend) == []
    assert counted(backend) == (1, 0, 0, 1)
    backend.close()


def test_a_synchronous_stream_closed_midway_gives_everything_back() -> None:
    """What was read ahead is not handed out any more."""
    transport = Turning(WORDS)
    backend = parrot(transport)
    stream = backend.stream_say()
    assert next(stream).text == "one"
    stream.close()
    assert list(stream) == []
    stream.close()
    with backend.stream_say() as second:
        next(second)
    assert held(backend) == []
    assert all(body.closed for body in transport.bodies)
    backend.close()


def test_a_synchronous_stream_that_was_never_read_is_free() -> None:
    """It starts no thread, and sends nothing."""
    transport = Turning(WORDS)
    backend = parrot(transport)
    stream = backend.stream_say()
    assert not stream.finished
    stream.close()
    del stream
    assert not backend.portal.running
    assert transport.bodies == []
    assert next(backend.stream_say()).text == "one"
    backend.close()


def test_a_synchronous_error_surfaces_once_and_then_the_end() -> None:
    """Chunks before it come first, even though it was read ahead."""
    backend = parrot(Turning([b"one\n", b"two\n", b"ERROR\n"]))
    stream = backend.stream_say()
    assert [next(stream).text, next(stream).text] == ["one", "two"]
    with pytest.raises(errors.StreamInterruptedError) as caught:
        next(stream)
    assert caught.value.partial == "onetwo"
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(stream)
    with pytest.raises(errors.BackendError):
        _ = stream.reply
    assert held(backend) == []
    backend.close()


def test_an_error_before_the_first_chunk_surfaces_once() -> None:
    """Also in ``collect``."""
    backend = parrot(Turning(400))
    stream = backend.stream_say()
    with pytest.raises(errors.InvalidRequestError):
        next(stream)
    assert list(stream) == []
    with pytest.raises(errors.InvalidRequestError):
        backend.stream_say().collect()
    assert held(backend) == []
    backend.close()


def test_an_abandoned_synchronous_stream_gives_everything_back() -> None:
    """Dropped after its first chunk, while a reader runs ahead in the other thread."""
    transport = Turning([])
    transport._answers = [endless()]  # type: ignore[list-item]
    backend = parrot(transport)
    stream = backend.stream_say()
    next(stream)
    del stream
    gc.collect()
    wait_for(lambda: held(backend) == [])
    wait_for(lambda: transport.bodies[0].closed)
    assert counted(backend) == (1, 0, 0, 1)
    backend.close()


def test_a_stream_collects_from_wherever_it_is() -> None:
    """From the start, from the middle, at the end."""
    backend = parrot(Turning(WORDS))
    assert backend.stream_say().collect().text == "onetwothree"
    stream = backend.stream_say()
    next(stream)
    assert stream.collect().text == "onetwothree"
    assert stream.collect().text == "onetwothree"
    assert stream.finished
    assert stream.reply.request_id == stream.request_id
    backend.close()


def test_closing_a_stream_frees_its_reader_in_another_thread() -> None:
    """A thread that waits for the next chunk sees the end."""
    blocked = threading.Event()

    class Stalling(Turning):
        async def handle_async_request(self, request):  # type: ignore[no-untyped-def]
            import httpx

            async def body():  # type: ignore[no-untyped-def]
                yield b"one\n"
                blocked.set()
                await asyncio.Event().wait()

            return httpx.Response(200, content=body(), request=request)

    backend = parrot(Stalling(WORDS))
    stream = backend.stream_say()
    texts: list[str] = []
    reader = threading.Thread(target=lambda: texts.extend(chunk.text for chunk in stream), daemon=True)
    reader.start()
    assert blocked.wait(5)
    wait_for(lambda: texts == ["one"])
    stream.close()
    reader.join(5)
    assert not reader.is_alive()
    assert texts == ["one"]
    assert held(backend) == []
    backend.close()


def test_closing_the_backend_ends_its_synchronous_streams() -> None:
    """A reader gets an error or the end, and does not hang."""
    transport = Turning([])
    transport._answers = [endless()]  # type: ignore[list-item]
    backend = parrot(transport)
    stream = backend.stream_say()
    next(stream)
    backend.close()
    with pytest.raises((errors.ClosedError, errors.StreamInterruptedError)):
        for _ in stream:
            pass
    stream.close()
    wait_for(lambda: held(backend) == [])


def test_streams_of_many_threads_share_one_portal() -> None:
    """Each reads its own to the end; all slots come back."""
    backend = parrot(Turning(WORDS), max_concurrent_requests=3, queue_size=100)
    texts: list[str] = []

    def read() -> None:
        for _ in range(10):
            texts.append("".join(chunk.text for chunk in backend.stream_say()))

    readers = [threading.Thread(target=read, daemon=True) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    assert not any(reader.is_alive() for reader in readers)
    assert texts == ["onetwothree"] * 80
    assert held(backend) == []
    backend.close()
