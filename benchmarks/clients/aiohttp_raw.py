"""aiohttp as one would use it by hand: the floor of what an HTTP call costs here.

One session, its limit of connections lifted (the default of 100 would queue at 128 in flight), JSON of the standard
library.
"""

from __future__ import annotations

import json

import aiohttp

from benchmarks import workload
from benchmarks.clients.decoding import decode

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._url = url + "/chat/completions"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), headers={"Authorization": f"Bearer {workload.KEY}"}
        )

    async def call(self) -> str:
        body = {"model": workload.MODEL, "messages": workload.MESSAGES}
        async with self._session.post(self._url, json=body) as response:
            response.raise_for_status()
            content: str = json.loads(await response.read())["choices"][0]["message"]["content"]
            return content

    async def stream(self, tokens: list[str]) -> None:
        body = {"model": workload.MODEL, "messages": workload.MESSAGES, "stream": True}
        async with self._session.post(self._url, json=body) as response:
            response.raise_for_status()
            await decode(response.content.iter_any(), tokens)

    async def close(self) -> None:
        await self._session.close()
