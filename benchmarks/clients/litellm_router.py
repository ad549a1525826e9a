"""LiteLLM's ``Router`` with one deployment and its defaults; see ``litellm_acompletion`` for what is switched off.

It is what LiteLLM has for retries, cooldowns and several keys, hence the fair counterpart of our whole path.
"""

from __future__ import annotations

from benchmarks import workload
from benchmarks.clients.litellm_acompletion import configure, litellm

__all__ = ["Client"]


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        configure()
        parameters = {"model": f"openai/{workload.MODEL}", "api_key": workload.KEY, "api_base": url}
        self._router = litellm.Router(model_list=[{"model_name": workload.MODEL, "litellm_params": parameters}])

    async def call(self) -> str:
        reply = await self._router.acompletion(model=workload.MODEL, messages=workload.MESSAGES)
        text: str = reply.choices[0].message.content
        return text

    async def stream(self, tokens: list[str]) -> None:
        stream = await self._router.acompletion(model=workload.MODEL, messages=workload.MESSAGES, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                tokens.append(chunk.choices[0].delta.content)

    async def close(self) -> None:
        """Its clients are its own and close with the process."""
