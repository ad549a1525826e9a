"""What the tests of OVMS share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.ovms import OVMS
from conformance.simulators import Simulator

ASK = [{"role": "user", "content": "Name a prime."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

SAMPLES: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT8": [0, 255],
    "UINT16": [0, 65_535],
    "UINT32": [0, 2**32 - 1],
    "UINT64": [0, 2**64 - 1],
    "INT8": [-128, 127],
    "INT16": [-(2**15), 2**15 - 1],
    "INT32": [-(2**31), 2**31 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "FP16": [1.5, -65_504.0],
    "BF16": [1.5, -(2.0**100)],
    "FP32": [1.5, -(2.0**-126)],
    "FP64": [0.1, -1e300],
    "BYTES": [b"\xff\x00", b""],
}


def backend_at(sim: Simulator, **settings: Any) -> OVMS:
    settings = {"model": "llama3", "clock": Hurried(), "environ": {}, **settings}
    return OVMS(base_url=sim.base_url("ovms"), **settings)


def answering(*answers: httpx.Response, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A transport that gives these answers in turn, the last one for ever."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    return httpx.MockTransport(handle)


def mocked(*answers: httpx.Response, seen: list[httpx.Request] | None = None, **settings: Any) -> OVMS:
    settings = {"model": "m", "clock": Hurried(), "environ": {}, "max_retries": 0, **settings}
    return OVMS(transport=answering(*answers, seen=seen), **settings)


def said(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error": text})


def binary(head: Any, content: bytes, length: str | None = None) -> httpx.Response:
    """An inference answer in binary; ``length`` lies about the JSON part."""
    data = head if isinstance(head, bytes) else json.dumps(head).encode()
    headers = {"Inference-Header-Content-Length": str(len(data)) if length is None else length}
    return httpx.Response(200, headers=headers, content=data + content)
