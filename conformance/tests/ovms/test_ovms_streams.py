"""Streams whose errors come bare, split at every byte; and what happens before, between and after the events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from clocks import Hurried
from ovms_bench import ASK, backend_at

from backends import errors
from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.ovms import OVMS
from backends.ovms.bare_errors import BareErrorReader
from backends.types import Chunk
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import ErrorEvent, SplitEvery

HEAD = {"created": 1, "model": "m", "object": "chat.completion.chunk"}


def event(delta: Any, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **HEAD}).encode() + b"\n\n"


OPENING = event({"role": "assistant", "content": None})
TOLD = OPENING + event({"content": "Two"}) + event({"content": " naïve"})
WHOLE = TOLD + event({}, "stop") + b"data: [DONE]\n\n"
ERROR = '{"error": "Mediapipe execution failed ☃"}'.encode()


def read(*pieces: bytes) -> tuple[list[Chunk], BareErrorReader[Any]]:
    reader = BareErrorReader(ChatStreamReader())
    chunks: list[Chunk] = []
    take(reader, list(pieces), chunks)
    return chunks, reader


def take(reader: BareErrorReader[Any], pieces: list[bytes], into: list[Chunk]) -> None:
    for piece in pieces:
        for chunk in reader.feed(piece):
            into.append(chunk)  # one by one: what came before an error is kept
    into.extend(reader.finish())


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def test_a_good_stream_at_every_split() -> None:
    for cut in range(len(WHOLE)):
        chunks, reader = read(WHOLE[:cut], WHOLE[cut:])
        assert text_of(chunks) == "Two naïve"
        assert reader.done
    chunks, reader = read(*(WHOLE[at : at + 1] for at in range(len(WHOLE))))
    assert (text_of(chunks), reader.done, reader.partial()) == ("Two naïve", True, "Two naïve")


@pytest.mark.parametrize("tail", [ERROR, ERROR + b"\n", ERROR + b"\r\n\r\n", b" \n" + ERROR, b": ping\n" + ERROR])
def test_a_bare_error_at_every_split(tail: bytes) -> None:
    body = TOLD + tail
    for pieces in (
        *([body[:cut], body[cut:]] for cut in range(len(body))),
        [body[at : at + 1] for at in range(len(body))],
    ):
        reader = BareErrorReader(ChatStreamReader())
        seen: list[Chunk] = []
        with pytest.raises(errors.ServerError, match="Mediapipe execution failed ☃"):
            take(reader, pieces, seen)
        assert text_of(seen) == reader.partial() == "Two naïve"
        assert not reader.done


@pytest.mark.parametrize(
    "tail",
    [ERROR[:-1], b"{not json}", b'{"mood": "sunny"}', b"[1]", b'{"error": ""}', b"{" * 200, b"{" + b"x" * 100_000],
)
def test_lines_that_are_no_errors_change_nothing(tail: bytes) -> None:
    chunks, reader = read(TOLD + tail)
    assert (text_of(chunks), reader.done) == ("Two naïve", False)
    chunks, reader = read(TOLD + tail + b"\n", event({}, "stop") + b"data: [DONE]\n\n")
    assert (text_of(chunks), reader.done) == ("Two naïve", True)


def test_what_follows_the_end_is_not_looked_at() -> None:
    chunks, reader = read(WHOLE + ERROR)
    assert (text_of(chunks), reader.done) == ("Two naïve", True)


def test_an_error_as_an_event_is_read_too() -> None:
    with pytest.raises(errors.ServerError, match="Mediapipe"):
        read(TOLD + b"data: " + ERROR + b"\n\n")


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def streaming(*pieces: bytes, **settings: Any) -> OVMS:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(*pieces))

    settings = {"model": "m", "clock": Hurried(), "environ": {}, "max_retries": 0, **settings}
    return OVMS(transport=httpx.MockTransport(respond), **settings)


async def test_the_caller_gets_what_came_and_the_servers_words() -> None:
    async with streaming(TOLD, ERROR, failure_threshold=1) as ovms:
        stream = ovms.astream_chat(ASK)
        seen = [await anext(stream) for _ in range(3)]
        with pytest.raises(errors.StreamInterruptedError, match="Mediapipe execution failed") as caught:
            await anext(stream)
        assert (text_of(seen), caught.value.partial) == ("Two naïve", "Two naïve")
        assert isinstance(caught.value.__cause__, errors.ServerError)
        assert ovms.endpoint().breaker.state == "open"


async def test_an_error_before_any_content_is_tried_again() -> None:
    async with streaming(OPENING, ERROR, max_retries=2) as ovms:
        with pytest.raises(errors.ServerError, match="Mediapipe") as caught:
            await ovms.astream_chat(ASK).collect()
    assert (caught.value.attempts, caught.value.partial) == (3, None)


async def test_a_cut_is_no_end() -> None:
    async with streaming(TOLD) as ovms:
        with pytest.raises(errors.StreamInterruptedError, match="cut short") as caught:
            await ovms.astream_chat(ASK).collect()
    assert caught.value.partial == "Two naïve"


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", ["stream_chat", "stream_complete", "stream_responses"])
async def test_the_simulated_error_in_every_stream(sim: Simulator, name: str, split: bool) -> None:
    sim.script(Fault(ErrorEvent(3, message="the engine took fire")), *([Fault(SplitEvery(1))] if split else []))
    async with backend_at(sim, max_retries=0) as ovms:
        stream = getattr(ovms, "a" + name)(ASK if name == "stream_chat" else "hello")
        with pytest.raises(errors.StreamInterruptedError, match="the engine took fire") as caught:
            await stream.collect()
    assert caught.value.partial
    assert not sim.unfired()


async def test_a_refusal_before_the_stream_is_a_status(ovms: OVMS) -> None:
    with pytest.raises(errors.InvalidRequestError, match="include_stop_str_in_output") as caught:
        await ovms.astream_chat(ASK, include_stop_str_in_output=False).collect()
    assert caught.value.status == 400
    with pytest.raises(errors.UnknownModelError, match="nobody"):
        await ovms.astream_chat(ASK, model="nobody").collect()
