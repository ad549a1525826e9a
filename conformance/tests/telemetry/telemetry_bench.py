"""What the tests of telemetry share: a backend whose answers a test writes, and calls that end in every way."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from clocks import Hurried

from backends import OpenAI, errors

KEY = "sk-planted-telemetry-0001"
OTHER_KEY = "sk-planted-telemetry-0002"
QUESTION = "a question that nobody may write down"
ANSWER = "an answer that nobody may write down"
ASKED = [{"role": "user", "content": QUESTION}]
REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-test-2026",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
}
TOLD = {
    "x-request-id": "req-1",
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "75",
    "x-ratelimit-reset-requests": "6s",
}
"""Headers of an answer; what they say of limits counts where a backend listens to it."""
EVENTS = (
    b'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-test-2026","choices":[{"index":0,"delta":{"content":"'
    + ANSWER.encode()
    + b'"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-test-2026","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,'
    b'"total_tokens":12}}\n\ndata: [DONE]\n\n'
)


def answering(*statuses: int, reached: asyncio.Event | None = None, **settings: Any) -> OpenAI:
    """A backend whose requests are answered with these statuses in turn, the last one again and again.

    A status of 0 never answers, and sets ``reached``.
    """
    left = list(statuses or (200,))

    async def respond(request: httpx.Request) -> httpx.Response:
        status = left.pop(0) if len(left) > 1 else left[0]
        if not status:
            assert reached is not None
            reached.set()
            await asyncio.get_running_loop().create_future()
        if status != 200:
            quoted = request.headers["authorization"]
            error = {"message": f"{quoted} asked: {QUESTION}", "code": quoted, "type": "t"}
            return httpx.Response(status, json={"error": error}, headers={"x-request-id": "req-failed"})
        if b'"stream":true' in request.content:
            return httpx.Response(200, content=EVENTS, headers={"content-type": "text/event-stream"})
        return httpx.Response(200, json=REPLY, headers=TOLD)

    made = {"api_key": KEY, "clock": Hurried(), "environ": {}, "model": "gpt-test", **settings}
    if "api_keys" in made:
        del made["api_key"]
    return OpenAI(transport=httpx.MockTransport(respond), **made)


async def busy(observers: list[Any], **settings: Any) -> OpenAI:
    """Return a backend after a call that was repeated, one that failed, one that was cancelled and a stream."""
    reached = asyncio.Event()
    backend = answering(503, 200, 400, 0, 200, reached=reached, observers=observers, **settings)
    await backend.achat(ASKED)
    with pytest.raises(errors.InvalidRequestError):
        await backend.achat(ASKED)
    doomed = asyncio.ensure_future(backend.achat(ASKED))
    await reached.wait()
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    await backend.astream_chat(ASKED).collect()
    return backend
