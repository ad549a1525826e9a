"""Our transport alone: connections, timeouts, limits and decoding of ``backends.wire``; no path of a call."""

from __future__ import annotations

import json

from backends.wire.client import Client as WireClient
from backends.wire.client import Response
from backends.wire.values import Timeouts, WireRequest
from benchmarks import workload
from benchmarks.clients.decoding import decode

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._url = url + "/chat/completions"
        self._client = WireClient()
        self._timeouts = Timeouts()
        self._headers = (("authorization", f"Bearer {workload.KEY}"), ("content-type", "application/json"))

    async def _open(self, **more: bool) -> Response:
        body = json.dumps({"model": workload.MODEL, "messages": workload.MESSAGES, **more}).encode()
        response = await self._client.open(WireRequest("POST", self._url, self._headers, body, self._timeouts))
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}")
        return response

    async def call(self) -> str:
        response = await self._open()
        content: str = json.loads(await response.read())["choices"][0]["message"]["content"]
        await response.aclose()
        return content

    async def stream(self, tokens: list[str]) -> None:
        response = await self._open(stream=True)
        try:
            await decode(response.chunks(), tokens)
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._client.aclose()
