"""any-llm with one provider object that is reused, as its documentation advises for production."""

from __future__ import annotations

from any_llm import AnyLLM

from benchmarks import workload

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        self._llm = AnyLLM.create("openai", api_key=workload.KEY, api_base=url)

    async def call(self) -> str:
        reply = await self._llm.acompletion(model=workload.MODEL, messages=workload.MESSAGES)
        text: str = reply.choices[0].message.content
        return text

    async def stream(self, tokens: list[str]) -> None:
        stream = await self._llm.acompletion(model=workload.MODEL, messages=workload.MESSAGES, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                tokens.append(chunk.choices[0].delta.content)

    async def close(self) -> None:
        """Its client is its own and closes with the process."""
