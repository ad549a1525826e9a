"""What the tests of Groq share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.groq import Groq
from conformance.simulators import Simulator

KEY = "gsk_planted_key_0001"
MODEL = "openai/gpt-oss-20b"
ASK = [{"role": "user", "content": "Name a prime."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
LINE = {
    "custom_id": "one",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": MODEL, "messages": ASK},
}
JSONL = json.dumps(LINE).encode() + b"\n"


def backend_at(sim: Simulator, **settings: Any) -> Groq:
    settings = {"clock": Hurried(), "environ": {}, "api_key": KEY, **settings}
    return Groq(base_url=sim.base_url("groq"), **settings)


def mocked(answer: Any, **settings: Any) -> Groq:
    """Return a backend whose every request gets one answer: an object, a response, or what a function makes of it."""

    def respond(request: httpx.Request) -> httpx.Response:
        made = answer(request) if callable(answer) else answer
        return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

    settings = {"clock": Hurried(), "environ": {}, "api_key": KEY, **settings}
    return Groq(transport=httpx.MockTransport(respond), **settings)


def completion(**extra: Any) -> dict[str, Any]:
    """Return a whole answer as the service writes it."""
    return {
        "id": "chatcmpl-g2",
        "object": "chat.completion",
        "created": 1_795_000_001,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Seven"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "queue_time": 0.012,
            "prompt_tokens": 74,
            "prompt_time": 0.003,
            "completion_tokens": 9,
            "completion_time": 0.01,
            "total_tokens": 83,
            "total_time": 0.013,
        },
        "system_fingerprint": "fp_aa",
        "x_groq": {"id": "req_01m"},
        "service_tier": "on_demand",
        **extra,
    }
