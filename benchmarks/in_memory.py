"""A network in memory: what a call costs without sockets, or beside a server that takes a known time.

Transports only; nothing here measures.
"""

from __future__ import annotations

import asyncio
import base64
import json
from array import array
from typing import Final

import httpx

from benchmarks import workload

__all__ = ["AtOnce", "Embedder"]

_DIMENSIONS: Final = 256


class AtOnce(httpx.AsyncBaseTransport):
    """Answers every request at once with the same chat completion."""

    def __init__(self) -> None:
        self._body = workload.answer()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200,
            headers={"content-type": "application/json", "x-request-id": "req_1"},
            content=self._body,
            request=request,
        )


class Embedder(httpx.AsyncBaseTransport):
    """Embeds as a server with few workers does: a request costs a fixed time and some more for each of its inputs.

    Args:
        workers: requests it works on at once; the others wait.
        per_request: seconds for any request.
        per_input: seconds more for each input.

    Attributes:
        requests: how many it saw.
        inputs: how many texts were in them.
    """

    def __init__(self, workers: int, per_request: float, per_input: float) -> None:
        self.requests = self.inputs = 0
        self._free = asyncio.Semaphore(workers)
        self._per_request, self._per_input = per_request, per_input
        self._vector = base64.b64encode(array("f", [0.0625] * _DIMENSIONS).tobytes()).decode()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(await request.aread())["input"]
        count = 1 if isinstance(asked, str) else len(asked)
        self.requests += 1
        self.inputs += count
        async with self._free:
            await asyncio.sleep(self._per_request + self._per_input * count)
        data = [{"object": "embedding", "index": at, "embedding": self._vector} for at in range(count)]
        tokens = 8 * count
        answer = {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return httpx.Response(200, json=answer, request=request)
