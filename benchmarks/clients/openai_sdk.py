"""The official SDK as its README shows it: one ``AsyncOpenAI`` with its defaults (1,000 connections, two retries)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from openai import AsyncOpenAI

from benchmarks import workload

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

__all__ = ["Client"]

_MESSAGES: Final = cast("list[ChatCompletionMessageParam]", workload.MESSAGES)


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._client = self.make(url)

    def make(self, url: str) -> AsyncOpenAI:
        """Return the SDK's client."""
        return AsyncOpenAI(api_key=workload.KEY, base_url=url)

    async def call(self) -> str:
        reply = await self._client.chat.completions.create(model=workload.MODEL, messages=_MESSAGES)
        return reply.choices[0].message.content or ""

    async def stream(self, tokens: list[str]) -> None:
        stream = await self._client.chat.completions.create(model=workload.MODEL, messages=_MESSAGES, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                tokens.append(chunk.choices[0].delta.content)

    async def close(self) -> None:
        await self._client.close()
