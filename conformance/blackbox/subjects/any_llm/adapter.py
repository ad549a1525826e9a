"""Speaks for any-llm, as its README advises for production: an ``AnyLLM`` object over OpenAI's client, errors unified."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any, Final

import any_llm  # it lives in this subject's environment
import openai
from dialect import asked, explained, told, usage  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout"}
_CLASSES: Final = {
    "AuthenticationError": "authentication",
    "ContextLengthExceededError": "context_length",
    "GatewayTimeoutError": "timeout",
    "InsufficientFundsError": "quota",
    "InvalidRequestError": "invalid_request",
    "MissingApiKeyError": "configuration",
    "ModelNotFoundError": "unknown_model",
    "ProviderError": "server",
    "RateLimitError": "rate_limit",
    "UnsupportedParameterError": "unsupported",
    "UpstreamProviderError": "server",
}


class AnyLLM:
    """The object; retries and timeouts are those of the client below, queues and breakers are nobody's."""

    def __init__(self) -> None:
        self._client: Any = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what docs.mozilla.ai/any-llm promises; ``max_retries`` is handed to the provider's own client."""
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
        versions = {name: metadata.version(name) for name in ("any-llm-sdk", "openai")}
        return {
            "name": "any-llm",
            "language": "Python",
            "versions": {**versions, "python": platform.python_version()},
            "claims": {"openai": features},
            "disclaims": {
                "STR-07": "the client hands out the pieces of a tool call; its users put them together",
            },
        }

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the object; what it does not know goes to the client below."""
        chosen: dict[str, Any] = {}
        if "max_retries" in settings:
            chosen["max_retries"] = settings["max_retries"]
        if "read_timeout" in settings:
            chosen["timeout"] = openai.Timeout(600, connect=5, read=settings["read_timeout"])
        key = next(iter(settings["api_keys"]), None)
        self._client = any_llm.AnyLLM.create(
            settings["provider"], api_key=key, api_base=settings["base_url"], unified_exceptions=True, **chosen
        )
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN

    async def chat(self, call: dict[str, Any]) -> Any:
        """Return one answer."""
        return told(await self._client.acompletion(**{"model": self._model, **asked(call)}))

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer; the last chunk carries the counts."""
        arguments = {"model": self._model, **asked(call), "stream": True, "stream_options": {"include_usage": True}}
        text, reply = "", {}
        async for chunk in await self._client.acompletion(**arguments):
            for choice in chunk.choices or ():
                text += choice.delta.content or ""
                emit(choice.delta.content or "")
                reply["finish_reason"] = choice.finish_reason
            reply |= {"model": chunk.model, "usage": usage(chunk.usage)}
        return {"text": text, **reply}

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        reply = await self._client.aembedding(call.get("model", self._model), call["texts"])
        return {"vectors": [item.embedding for item in reply.data], "usage": usage(reply.usage), "model": reply.model}

    def explain(self, error: Exception) -> dict[str, Any]:
        """Return what an error of the client tells."""
        told: dict[str, Any] = explained(error, _CLASSES)
        waits = getattr(error, "retry_after", None)  # the text of a header
        return {**told, "retry_after": float(waits)} if waits is not None and waits.isdecimal() else told

    async def close(self) -> None:
        """There is nothing to close: its interface has no such call."""


if __name__ == "__main__":
    serve(AnyLLM())
