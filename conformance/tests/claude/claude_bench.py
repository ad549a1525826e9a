"""What the tests of Claude share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import httpx
from clocks import Hurried

from backends.claude import Claude
from backends.claude.stream import MessageReader
from backends.operation import Answer
from conformance.simulators import Simulator

KEY = "sk-ant-api-planted-0001"
ASK = [{"role": "user", "content": "Name a prime."}]
TOOL = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "Seven"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 14, "output_tokens": 2},
}
ANSWER = Answer(200, {"request-id": "req_1"}, None, "id", "req_1", 1, 0.0, "claude-haiku-5-5")


def backend_at(sim: Simulator, **settings: Any) -> Claude:
    settings = {"clock": Hurried(), "environ": {}, "api_key": KEY, **settings}
    return Claude(base_url=sim.base_url("claude"), **settings)


def mocked(*answers: Any, seen: list[httpx.Request] | None = None, **settings: Any) -> Claude:
    """A backend whose requests get these answers in turn, the last one for ever: objects, bytes, or whole responses."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, tuple):
            status, body, *headers = answer
            return httpx.Response(status, json=body, headers=headers[0] if headers else None)
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer)
        return httpx.Response(200, json=answer)

    settings = {"clock": Hurried(), "environ": {}, "max_retries": 0, **settings}
    if not {"api_key", "api_keys", "auth_token", "metadata"} & settings.keys() and not settings["environ"]:
        settings["api_key"] = KEY
    return Claude(transport=httpx.MockTransport(handle), **settings)


def error(kind: str, message: str = "It broke.", code: str | None = None) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": kind, "message": message}
    if code is not None:
        inner["details"] = {"error_code": code}
    return {"type": "error", "error": inner, "request_id": "req_1"}


def events(*payloads: dict[str, Any]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in payloads)


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def opening(**usage: Any) -> dict[str, Any]:
    counts = {"input_tokens": 14, "output_tokens": 1, **usage}
    return {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": counts}}


def closing(reason: str = "end_turn", usage: dict[str, Any] | None = None, **delta: Any) -> list[dict[str, Any]]:
    last = {"stop_reason": reason, "stop_sequence": None, **delta}
    return [
        {"type": "message_delta", "delta": last, "usage": usage or {"output_tokens": 2}},
        {"type": "message_stop"},
    ]


def told(*payloads: dict[str, Any]) -> tuple[list[Any], Any]:
    """Return the chunks and the reply of a stream."""
    return read_in_pieces(events(*payloads))


def read_in_pieces(body: bytes, cuts: Iterable[int] = ()) -> tuple[list[Any], Any]:
    """Return the chunks and the reply of a stream whose bytes come cut at these places."""
    reader = MessageReader("claude-haiku-5-5", 1 << 20)
    places = [0, *cuts, len(body)]
    chunks = [chunk for begin, end in pairwise(places) for chunk in reader.feed(body[begin:end])]
    chunks.extend(reader.finish())
    assert reader.done
    return chunks, reader.reply(ANSWER)
