"""LiteLLM's ``acompletion`` as its documentation shows it, with what costs time and is optional switched off.

Telemetry, debug hints and the update of its price table over the network are off; no callback is set; its log level is
ERROR. Its own aiohttp transport and its cache of clients stay on, which are its defaults and its fastest.
"""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # read when litellm is imported
os.environ["LITELLM_LOG"] = "ERROR"

import litellm

from benchmarks import workload

__all__ = ["Client", "configure", "litellm"]


def configure() -> None:
    """Switch off what is optional."""
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.callbacks = []
    litellm.success_callback = []
    litellm.failure_callback = []


class Client:
    """See the module docstring."""

    def __init__(self, url: str) -> None:
        configure()
        self._options = {"model": f"openai/{workload.MODEL}", "api_key": workload.KEY, "api_base": url}

    async def call(self) -> str:
        reply = await litellm.acompletion(messages=workload.MESSAGES, **self._options)
        text: str = reply.choices[0].message.content
        return text

    async def stream(self, tokens: list[str]) -> None:
        stream = await litellm.acompletion(messages=workload.MESSAGES, stream=True, **self._options)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                tokens.append(chunk.choices[0].delta.content)

    async def close(self) -> None:
        """Its clients are its own and close with the process."""
