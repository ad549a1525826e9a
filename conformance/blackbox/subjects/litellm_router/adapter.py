"""Speaks for LiteLLM's Router, as its documentation shows it: a deployment for a key, a model group for an endpoint."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Final

os.environ["LITELLM_OFFLINE_MODE"] = "true"  # prices and headers as installed: nothing is fetched by importing it

import litellm  # it lives in this subject's environment
from dialect import LITELLM, asked, explained, told, usage  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_PROVIDERS: Final = {"openai": "openai", "claude": "anthropic"}
_ITSELF: Final = "main"
_THEIRS: Final = {
    "initial_retry_delay": "retry_after",
    "max_concurrent_requests": "default_max_parallel_requests",
    "max_retries": "num_retries",
    "read_timeout": "timeout",
}
_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "endpoints", *_THEIRS}


class Router:
    """The Router; it has no queue, and its waits double by a rule of its own."""

    def __init__(self) -> None:
        self._router: Any = None
        self._provider = ""
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what docs.litellm.ai/docs/routing and /docs/router promise.

        Its priorities order requests while no deployment is healthy, and not those that want a free slot. Its cooldown
        chooses between deployments: a group of one is never closed, so it is no breaker.
        """
        features = [
            "chat",
            "stream",
            "keys",
            "endpoints",
            "limit",
            "retries",
            "timeouts",
            "usage",
            "tools",
            "system",
            "cache",
        ]
        return {
            "name": "litellm.Router",
            "language": "Python",
            "versions": {"litellm": metadata.version("litellm"), "python": platform.python_version()},
            "claims": {"openai": [*features, "embed", "seed", "json_schema"], "claude": [*features, "stop"]},
            "disclaims": {"QUE-03": "a call that finds every slot taken is refused at once; none waits"},
        }

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the Router; ``allowed_fails`` stays as it is, since it also decides when a key rests after a 429 or a 401."""
        chosen = {theirs: settings[ours] for ours, theirs in _THEIRS.items() if ours in settings}
        ignored = set(settings) - _GIVEN
        if settings.get("key_strategy") == "least_loaded":
            chosen["routing_strategy"] = "least-busy"
            ignored.discard("key_strategy")
        if settings.get("cache") == "exact":
            chosen["cache_responses"] = True
            ignored.discard("cache")
        litellm.cache = None
        self._provider = _PROVIDERS[settings["provider"]]
        self._model = settings.get("model", "")
        places = {_ITSELF: settings, **settings.get("endpoints", {})}
        models = [self._deployment(name, self._model, place, key) for name, place, key in _each(places)]
        # What is asked of another model goes to the wildcard group.
        models += [
            self._deployment(f"{self._provider}/*", "*", settings, key) for key in settings["api_keys"] or [None]
        ]
        self._router = litellm.Router(model_list=models, **chosen)
        return ignored

    def _deployment(self, group: str, model: str, place: dict[str, Any], key: str | None) -> dict[str, Any]:
        arguments = {"model": f"{self._provider}/{model}", "api_base": place["base_url"], "api_key": key}
        return {"model_name": group, "litellm_params": arguments}

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer."""
        reply = await self._router.acompletion(**self._asked(call))
        return {**told(reply), "cached": bool(reply._hidden_params.get("cache_hit"))}

    async def stream(self, call: dict[str, Any], emit: Any) -> Any:
        """Hand out one answer; ``stream_chunk_builder`` puts the whole together, as the documentation says."""
        arguments = {**self._asked(call), "stream": True, "stream_options": {"include_usage": True}}
        chunks = []
        async for chunk in await self._router.acompletion(**arguments):
            chunks.append(chunk)
            for choice in chunk.choices or ():
                emit(choice.delta.content or "")
        return told(litellm.stream_chunk_builder(chunks, messages=call["messages"]))

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        reply = await self._router.aembedding(model=self._asked({"messages": [], **call})["model"], input=call["texts"])
        return {"vectors": [item["embedding"] for item in reply.data], "usage": usage(reply.usage)}

    def explain(self, error: Exception) -> Any:
        """Return what an error of the client tells."""
        return explained(error, LITELLM)

    async def close(self) -> None:
        """Throw the Router away, as its users do."""
        if self._router is not None:
            self._router.retire()

    def _asked(self, call: dict[str, Any]) -> dict[str, Any]:
        group = call.get("endpoint", _ITSELF)
        if "model" in call and call["model"] != self._model:
            group = f"{self._provider}/{call['model']}"
        return {**asked(call), "model": group}


def _each(places: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    for name, place in places.items():
        for key in place["api_keys"] or [None]:
            yield name, place, key


if __name__ == "__main__":
    serve(Router())
