"""The official SDK with the aiohttp client that it offers for higher concurrency; otherwise its defaults."""

from __future__ import annotations

from openai import AsyncOpenAI, DefaultAioHttpClient

from benchmarks import workload
from benchmarks.clients import openai_sdk

__all__ = ["Client"]


class Client(openai_sdk.Client):
    """See the module docstring."""

    def make(self, url: str) -> AsyncOpenAI:
        """Return the SDK's client on aiohttp."""
        return AsyncOpenAI(api_key=workload.KEY, base_url=url, http_client=DefaultAioHttpClient())
