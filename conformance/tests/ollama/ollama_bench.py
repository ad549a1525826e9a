"""What the tests of Ollama share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.ollama import Ollama
from conformance.simulators import Simulator

ASK = [{"role": "user", "content": "Name a prime."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "year": {"type": "integer"}}}


def backend_at(sim: Simulator, **settings: Any) -> Ollama:
    settings = {"model": "llama3.2", "clock": Hurried(), **settings}
    return Ollama(base_url=sim.base_url("ollama"), **settings)


def answering(*answers: tuple[int, Any], seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A transport that gives these answers in turn: objects as JSON, bytes and texts as they are."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, str | bytes):
            return httpx.Response(status, content=body)
        return httpx.Response(status, json=body)

    return httpx.MockTransport(handle)


def mocked(*answers: tuple[int, Any], seen: list[httpx.Request] | None = None, **settings: Any) -> Ollama:
    settings = {"model": "llama3.2", "clock": Hurried(), "max_retries": 0, **settings}
    return Ollama(transport=answering(*answers, seen=seen), environ={}, **settings)


def lines(*objects: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)
