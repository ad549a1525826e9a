"""What the tests of Gemini share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.gemini import Gemini
from conformance.simulators import Simulator

ASK = [{"role": "user", "content": "Name a prime."}]
CONTENTS = [{"role": "user", "parts": [{"text": "Name a prime."}]}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}}
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def backend_at(sim: Simulator, **settings: Any) -> Gemini:
    settings = {"api_key": "key-of-a-test", "environ": {}, "clock": Hurried(), "jitter": 0.0, **settings}
    return Gemini(base_url=sim.base_url("gemini"), **settings)


def answering(*answers: tuple[int, Any], seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A transport that gives these answers in turn: objects as JSON, bytes and texts as they are."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, httpx.Response):
            return body
        if isinstance(body, str | bytes):
            return httpx.Response(status, content=body)
        return httpx.Response(status, json=body)

    return httpx.MockTransport(handle)


def mocked(*answers: tuple[int, Any], seen: list[httpx.Request] | None = None, **settings: Any) -> Gemini:
    settings = {"api_key": "key-of-a-test", "environ": {}, "clock": Hurried(), "max_retries": 0, **settings}
    return Gemini(transport=answering(*answers, seen=seen), **settings)


def said(*parts: Any, finish: str | None = "STOP", **fields: Any) -> dict[str, Any]:
    """An answer, or one event of a stream, with these parts; texts are parts as well."""
    made = [{"text": part} if isinstance(part, str) else part for part in parts]
    candidate: dict[str, Any] = {"content": {"parts": made, "role": "model"}} if made else {}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [{**candidate, "index": 0}], **fields}


def events(*payloads: Any, end: bytes = b"\r\n\r\n") -> bytes:
    return b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + end for one in payloads)
