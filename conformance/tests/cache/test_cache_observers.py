"""Observers hear of what a cache answers: one call each, nothing on the wire, nothing counted twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backends import OpenAI, errors
from backends.telemetry.events import CallEnded, CallStarted, Event, FirstToken

HELLO = [{"role": "user", "content": "hello"}]
ANSWER = {
    "id": "1",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
CHUNK = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}


class Server:
    """Answers in memory, once it is let go where it is held."""

    def __init__(self) -> None:
        self.status = 200
        self.gate: asyncio.Event | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.gate is not None:
            await self.gate.wait()
        if json.loads(request.content).get("stream"):
            content = f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n".encode()
            return httpx.Response(self.status, headers={"content-type": "text/event-stream"}, content=content)
        return httpx.Response(self.status, json=ANSWER)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def make(server: Server, events: list[Event]) -> Callable[[], OpenAI]:
    return lambda: OpenAI(
        api_key="sk-x",
        transport=httpx.MockTransport(server),
        max_retries=0,
        cache="exact",
        observers=[events.append],
    )


def of_call(events: list[Event], number: int) -> list[Any]:
    """Return the events of a call, by the order in which calls were first heard of."""
    calls = list(dict.fromkeys(event.call for event in events))
    return [event for event in events if event.call is calls[number]]


async def test_a_hit_is_a_call_without_attempts(make: Any, events: list[Event]) -> None:
    async with make() as backend:
        await backend.achat(HELLO)
        reply = await backend.achat(HELLO, tenant=None)
        assert backend.report()["total_requests"] == 1
    started, ended = of_call(events, 1)
    assert isinstance(started, CallStarted)
    assert isinstance(ended, CallEnded)
    assert started.call.request_id == reply.request_id
    assert (ended.outcome, ended.cached, ended.attempts, ended.cost) == ("success", True, 0, 0.0)
    assert (ended.usage, ended.model, ended.key) == (reply.usage, "m", None)


async def test_a_kept_stream_has_a_first_token(make: Any, events: list[Event]) -> None:
    async with make() as backend:
        await backend.astream_chat(HELLO).collect()
        assert (await backend.astream_chat(HELLO).collect()).cached
    told = of_call(events, 1)
    assert [type(event) for event in told] == [CallStarted, FirstToken, CallEnded]
    assert told[0].call.stream
    assert (told[-1].cached, told[-1].attempts, told[-1].first_token) == (True, 0, told[1].seconds)


async def test_a_kept_stream_that_is_left_was_cancelled(make: Any, events: list[Event]) -> None:
    async with make() as backend:
        await backend.astream_chat(HELLO).collect()
        stream = backend.astream_chat(HELLO)
        await anext(stream)
        await stream.aclose()
    assert of_call(events, 1)[-1].outcome == "cancelled"


async def test_who_waits_for_another_is_told_of_by_itself(make: Any, events: list[Event], server: Server) -> None:
    server.gate = asyncio.Event()
    async with make() as backend:
        calls = [asyncio.create_task(backend.achat(HELLO)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(errors.DeadlineExceededError):
            await backend.achat(HELLO, deadline=0.01)
        calls[2].cancel()
        server.status = 400
        server.gate.set()
        await asyncio.gather(*calls, return_exceptions=True)
    ends = [event for event in events if isinstance(event, CallEnded)]
    told = sorted((end.outcome, end.error or "", end.attempts) for end in ends)
    assert told == [
        ("cancelled", "", 0),
        ("failure", "DeadlineExceededError", 0),
        ("failure", "InvalidRequestError", 0),
        ("failure", "InvalidRequestError", 1),
    ]
