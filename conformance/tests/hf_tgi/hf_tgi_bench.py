"""What the tests of TGI share: a backend that waits for nothing, a transport that answers by hand, streams as bytes."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.hf_tgi import HFTGI
from conformance.simulators import Simulator

ASK = [{"role": "user", "content": "Name a prime."}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}}


def backend_at(sim: Simulator, **settings: Any) -> HFTGI:
    return HFTGI(base_url=sim.base_url("hf_tgi"), **{"clock": Hurried(), "environ": {}, **settings})


def mocked(*answers: tuple[Any, ...], seen: list[httpx.Request] | None = None, **settings: Any) -> HFTGI:
    """A backend whose server gives these answers in turn: a status, a body (bytes as they are, else JSON), headers."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers=headers[0] if headers else {})

    defaults = {"clock": Hurried(), "environ": {}, "max_retries": 0}
    return HFTGI(transport=httpx.MockTransport(handle), **{**defaults, **settings})


def token(text: str, *, special: bool = False, number: int = 7) -> dict[str, Any]:
    return {"id": number, "text": text, "logprob": -0.5, "special": special}


def event(index: int, text: str, *, special: bool = False, **last: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"index": index, "token": token(text, special=special)}
    return {**entry, "generated_text": None, "details": None, **last}


def sse(*events: Any, space: bool = True) -> bytes:
    lead = "data: " if space else "data:"
    return b"".join(f"{lead}{json.dumps(one, ensure_ascii=False)}\n\n".encode() for one in events)
