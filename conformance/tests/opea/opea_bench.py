"""What the tests of OPEA share: a backend that waits for nothing, a transport that answers by hand, streams as bytes."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.opea import OPEA
from conformance.simulators import Simulator

ASK = [{"role": "user", "content": "Name a prime."}]
DONE = b"data: [DONE]\n\n"
REFUSAL = "Violated policies: Violent Crimes, please check your input."


def backend_at(sim: Simulator, **settings: Any) -> OPEA:
    settings = {"clock": Hurried(), "environ": {}, **settings}
    return OPEA(base_url=sim.base_url("opea"), **settings)


def mocked(*answers: tuple[int, Any], seen: list[httpx.Request] | None = None, **settings: Any) -> OPEA:
    """A backend that gets these answers in turn: objects as JSON, bytes and texts as they are."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, str | bytes):
            return httpx.Response(status, content=body)
        return httpx.Response(status, json=body)

    settings = {"clock": Hurried(), "max_retries": 0, "environ": {}, **settings}
    return OPEA(transport=httpx.MockTransport(handle), **settings)


def tokens(*texts: str) -> bytes:
    """Events of bytes literals, without the end."""
    return b"".join(b"data: " + repr(text.encode()).encode() + b"\n\n" for text in texts)


def events(*payloads: Any) -> bytes:
    """Events of JSON, without the end."""
    return b"".join(b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n" for payload in payloads)


def completion(text: str, **fields: Any) -> dict[str, Any]:
    """A megaservice's whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {"id": "chatcmpl-1", "model": "chatqna", "choices": [choice], "usage": usage, **fields}


async def into(seen: list[str], stream: Any) -> None:
    """Append the texts of a stream's chunks, up to its end or its error."""
    async for chunk in stream:
        seen.append(chunk.text)
