"""Speaks for Anthropic's own client in Python, as its README shows it: one asynchronous client with one key."""

from __future__ import annotations

import platform
from typing import Any, Final

import anthropic
from dialect import STAINLESS, explained  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout"}


class Anthropic:
    """The client; waits between attempts, deadlines of a whole call, queues and breakers are not among its arguments."""

    def __init__(self) -> None:
        self._client: anthropic.AsyncAnthropic | None = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what README and API reference promise: retries with Retry-After, timeouts, streams; one key, no queue."""
        features = ["chat", "stream", "retries", "timeouts", "usage", "tools", "system", "stop"]
        versions = {"anthropic": anthropic.__version__, "python": platform.python_version()}
        return {"name": "anthropic", "language": "Python", "versions": versions, "claims": {"claude": features}}

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the client; without a key it takes none from the environment, for there is none."""
        chosen: dict[str, Any] = {}
        if "max_retries" in settings:
            chosen["max_retries"] = settings["max_retries"]
        if "read_timeout" in settings:
            chosen["timeout"] = anthropic.Timeout(600, connect=5, read=settings["read_timeout"])
        key = next(iter(settings["api_keys"]), None)
        self._client = anthropic.AsyncAnthropic(api_key=key, base_url=settings["base_url"], **chosen)
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer."""
        assert self._client is not None
        return _told(await self._client.messages.create(**self._asked(call)))

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer through the client's helper for streams."""
        assert self._client is not None
        async with self._client.messages.stream(**self._asked(call)) as stream:
            async for text in stream.text_stream:
                emit(text)
            return _told(await stream.get_final_message())

    def explain(self, error: Exception) -> Any:
        """Return what an error of the client tells."""
        if type(error) is anthropic.AnthropicError or isinstance(error, TypeError):
            return {"class": "configuration"}  # a missing key is a TypeError, and raised before anything is sent
        told: dict[str, Any] = explained(error, _CLASSES, code="type")
        if told["class"] == "other":
            told["class"] = _TYPES.get(told.get("code", ""), "other")
        return told

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()

    def _asked(self, call: dict[str, Any]) -> dict[str, Any]:
        options = dict(call.get("options", {}))
        arguments: dict[str, Any] = {
            "model": call.get("model", self._model),
            "max_tokens": options.pop("max_tokens", 1024),  # the API wants one; this is the README's
            "messages": [message for message in call["messages"] if message["role"] != "system"],
        }
        if system := "\n\n".join(message["content"] for message in call["messages"] if message["role"] == "system"):
            arguments["system"] = system
        if "stop" in options:
            arguments["stop_sequences"] = options.pop("stop")
        if "tools" in options:
            arguments["tools"] = [
                {"name": tool["name"], "description": tool.get("description", ""), "input_schema": tool["parameters"]}
                for tool in options.pop("tools")
            ]
        return arguments | options


_CLASSES: Final = STAINLESS | {
    "ContentTooLargeError": "invalid_request",
    "PaymentRequiredError": "quota",
    "RequestTimeoutError": "timeout",
}
_TYPES: Final = {
    "api_error": "server",
    "overloaded_error": "server",
    "rate_limit_error": "rate_limit",
    "timeout_error": "timeout",
}
"""The client's ``ErrorType``, which tells an error event in a stream: it has no class of its own."""


def _told(message: anthropic.types.Message) -> dict[str, Any]:
    counted = message.usage
    made = [block for block in message.content if block.type == "tool_use"]
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "model": message.model,
        "finish_reason": message.stop_reason,
        "usage": counted and {"input_tokens": counted.input_tokens, "output_tokens": counted.output_tokens},
        "tool_calls": [{"name": block.name, "arguments": block.input} for block in made],
    }


if __name__ == "__main__":
    serve(Anthropic())
