"""Our whole path: ``OpenAI.achat`` and ``astream_chat`` with queue, breaker, key, retry, metrics and typed replies.

Every default is kept except the number of requests in flight, which the measurement prescribes.
"""

from __future__ import annotations

from backends import OpenAI
from benchmarks import workload

__all__ = ["Client", "backend"]


def backend(url: str) -> OpenAI:
    """Return the backend that is measured."""
    return OpenAI(api_key=workload.KEY, base_url=url, model=workload.MODEL, max_concurrent_requests=128)


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._backend = backend(url)

    async def call(self) -> str:
        return (await self._backend.achat(workload.MESSAGES)).text

    async def stream(self, tokens: list[str]) -> None:
        async for chunk in self._backend.astream_chat(workload.MESSAGES):
            if chunk.text:
                tokens.append(chunk.text)

    async def close(self) -> None:
        await self._backend.aclose()
