"""httpx as one would use it by hand: one client, JSON of the standard library.

Its limits of connections (100, 20 of them kept) are left as they are: without them it was slower here.
"""

from __future__ import annotations

import json

import httpx

from benchmarks import workload
from benchmarks.clients.decoding import decode

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._url = url + "/chat/completions"
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {workload.KEY}"}, timeout=60.0)

    async def call(self) -> str:
        response = await self._client.post(self._url, json={"model": workload.MODEL, "messages": workload.MESSAGES})
        response.raise_for_status()
        content: str = json.loads(response.content)["choices"][0]["message"]["content"]
        return content

    async def stream(self, tokens: list[str]) -> None:
        body = {"model": workload.MODEL, "messages": workload.MESSAGES, "stream": True}
        async with self._client.stream("POST", self._url, json=body) as response:
            response.raise_for_status()
            await decode(response.aiter_bytes(), tokens)

    async def close(self) -> None:
        await self._client.aclose()
