"""Speaks for LiteLLM's ``acompletion``, as its documentation shows it: one call, one key, ``num_retries``."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any, Final

os.environ["LITELLM_OFFLINE_MODE"] = "true"  # prices and headers as installed: nothing is fetched by importing it

import litellm  # it lives in this subject's environment
from dialect import LITELLM, asked, explained, told, usage  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout", "cache"}
_PROVIDERS: Final = {"openai": "openai", "claude": "anthropic"}


class LiteLLM:
    """The function; ``num_retries`` has no waits of its own to set, and queues and breakers are the Router's."""

    def __init__(self) -> None:
        self._every: dict[str, Any] = {}
        self._provider = ""
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what docs.litellm.ai promises of ``completion``: retries, timeouts, streams, local caching, usage."""
        features = ["chat", "stream", "retries", "timeouts", "usage", "tools", "system", "cache"]
        # Its table of parameters refuses "stop" for the newer models of OpenAI before anything is sent.
        claims = {"openai": [*features, "embed", "seed", "json_schema"], "claude": [*features, "stop"]}
        versions = {"litellm": metadata.version("litellm"), "python": platform.python_version()}
        return {"name": "litellm.acompletion", "language": "Python", "versions": versions, "claims": claims}

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Keep what every call is given, since there is no client to make."""
        self._every = {"api_base": settings["base_url"], "api_key": next(iter(settings["api_keys"]), None)}
        if "max_retries" in settings:
            self._every["num_retries"] = settings["max_retries"]
        if "read_timeout" in settings:
            self._every["timeout"] = settings["read_timeout"]
        # The page "Caching - In-Memory" keeps answers of every model and takes "ttl" a call.
        exact = settings.get("cache") == "exact"
        litellm.cache = litellm.Cache(type="local") if exact else None
        self._every["caching"] = exact
        self._provider = _PROVIDERS[settings["provider"]]
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN | ({"cache"} if settings.get("cache") == "semantic" else set())

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer; a hit of the cache is told by a header of the client's."""
        reply = await litellm.acompletion(**self._asked(call))
        return {**told(reply), "cached": bool(reply._hidden_params.get("cache_hit"))}

    async def stream(self, call: dict[str, Any], emit: Any) -> Any:
        """Hand out one answer; ``stream_chunk_builder`` puts the whole together, as the documentation says."""
        arguments = {**self._asked(call), "stream": True, "stream_options": {"include_usage": True}}
        chunks = []
        async for chunk in await litellm.acompletion(**arguments):
            chunks.append(chunk)
            for choice in chunk.choices or ():
                emit(choice.delta.content or "")
        return told(litellm.stream_chunk_builder(chunks, messages=call["messages"]))

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        reply = await litellm.aembedding(
            model=f"{self._provider}/{call.get('model', self._model)}", input=call["texts"], **self._every
        )
        return {"vectors": [item["embedding"] for item in reply.data], "usage": usage(reply.usage)}

    def explain(self, error: Exception) -> Any:
        """Return what an error of the client tells."""
        return explained(error, LITELLM)

    async def close(self) -> None:
        """There is nothing to close."""

    def _asked(self, call: dict[str, Any]) -> dict[str, Any]:
        arguments = {"model": self._model, **asked(call), **self._every}
        return {**arguments, "model": f"{self._provider}/{arguments['model']}"}


if __name__ == "__main__":
    serve(LiteLLM())
