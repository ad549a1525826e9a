"""Speaks for OpenAI's own client in Python, as its README shows it: one asynchronous client with one key."""

from __future__ import annotations

import platform
from typing import Any, Final

import openai
from dialect import STAINLESS, asked, explained, told, usage  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout"}


class OpenAI:
    """The client; waits between attempts, deadlines of a whole call, queues and breakers are not among its arguments."""

    def __init__(self) -> None:
        self._client: openai.AsyncOpenAI | None = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what README and API reference promise: retries with Retry-After, timeouts, streams; one key, no queue."""
        features = [
            "chat",
            "stream",
            "embed",
            "retries",
            "timeouts",
            "usage",
            "tools",
            "system",
            "seed",
            "stop",
            "json_schema",
        ]
        versions = {"openai": openai.__version__, "python": platform.python_version()}
        return {
            "name": "openai",
            "language": "Python",
            "versions": versions,
            "claims": {"openai": features},
        }

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the client; without a key it takes none from the environment, for there is none."""
        chosen: dict[str, Any] = {}
        if "max_retries" in settings:
            chosen["max_retries"] = settings["max_retries"]
        if "read_timeout" in settings:
            chosen["timeout"] = openai.Timeout(600, connect=5, read=settings["read_timeout"])
        key = next(iter(settings["api_keys"]), None)
        self._client = openai.AsyncOpenAI(api_key=key, base_url=settings["base_url"], **chosen)
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN

    async def chat(self, call: dict[str, Any]) -> Any:
        """Return one answer."""
        assert self._client is not None
        return told(await self._client.chat.completions.create(**{"model": self._model, **asked(call)}))

    async def stream(self, call: dict[str, Any], emit: Any) -> Any:
        """Hand out one answer through the client's helper for streams, which also puts tool calls together."""
        assert self._client is not None
        arguments = {"model": self._model, **asked(call), "stream_options": {"include_usage": True}}
        async with self._client.chat.completions.stream(**arguments) as stream:
            async for event in stream:
                if event.type == "content.delta":
                    emit(event.delta)
            return told(await stream.get_final_completion())

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        assert self._client is not None
        model = call.get("model", self._model)
        reply = await self._client.embeddings.create(input=call["texts"], model=model)
        return {"vectors": [item.embedding for item in reply.data], "usage": usage(reply.usage), "model": reply.model}

    def explain(self, error: Exception) -> Any:
        """Return what an error of the client tells."""
        if type(error) is openai.OpenAIError:
            return {"class": "configuration"}
        return explained(error, STAINLESS)

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()


if __name__ == "__main__":
    serve(OpenAI())
