"""What the tests of vLLM share: a backend that waits for nothing, a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.operation import Answer
from backends.vllm import VLLM
from conformance.simulators import Simulator

CHAT, THINKER, SEER = "meta-llama/Llama-3.2-3B-Instruct", "Qwen/Qwen3-8B", "google/gemma-3-4b-it"
EMBEDDER, MATRYOSHKA = "BAAI/bge-m3", "nomic-ai/nomic-embed-text-v1.5"
RANKER, CLASSIFIER, HEARER = "BAAI/bge-reranker-v2-m3", "jason9693/Qwen2.5-1.5B-apeach", "openai/whisper-large-v3"
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


def backend_at(sim: Simulator, **settings: Any) -> VLLM:
    settings = {"model": CHAT, "clock": Hurried(), "environ": {}, **settings}
    return VLLM(base_url=sim.base_url("vllm"), **settings)


def mocked(*answers: Any, seen: list[httpx.Request] | None = None, **settings: Any) -> VLLM:
    """A backend whose server gives these answers in turn, the last one for ever: (status, body), bodies as in httpx."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, str | bytes):
            return httpx.Response(status, content=body)
        return httpx.Response(status, json=body)

    settings = {"model": "m", "clock": Hurried(), "environ": {}, "max_retries": 0, **settings}
    return VLLM(transport=httpx.MockTransport(handle), **settings)


def answer(data: Any) -> Answer:
    """An answer as a reader gets it."""
    return Answer(200, {}, data, "id", None, 1, 0.5, "m")


def events(*payloads: Any, done: bool = True) -> bytes:
    """A stream's bytes."""
    body = b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + b"\n\n" for one in payloads)
    return body + b"data: [DONE]\n\n" if done else body


CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
